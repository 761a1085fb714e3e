#include "m2_file_server/bench/serve_report.hpp"

#include <array>
#include <cstdio>
#include <optional>
#include <utility>

#include "common/support/format_measured.hpp"
#include "common/support/json_writer.hpp"
#include "common/support/quantity.hpp"

namespace file_server::serve_bench {
namespace {

struct Quantity {
  double Sample::*value;
  support::Better better;
  const char* name;
};

constexpr auto kQuantities = std::to_array<Quantity>(
    {{&Sample::requests_per_second, support::Better::Higher, "requests_per_second"},
     {&Sample::cpu_ns_per_request, support::Better::Lower, "cpu_ns_per_request"},
     {&Sample::p50_ns, support::Better::Lower, "p50_ns"},
     {&Sample::p99_ns, support::Better::Lower, "p99_ns"}});

const char* name_of(Connections connections) {
  return connections == Connections::PerRequest ? "per request" : "kept alive";
}

// Cells of one width, the first one left.
std::string row(const std::string& first, const std::array<std::string, 4>& cells) {
  char text[256];
  std::snprintf(text, sizeof text, "  %-18s  %-22s  %-22s  %-22s  %s\n", first.c_str(),
                cells[0].c_str(), cells[1].c_str(), cells[2].c_str(), cells[3].c_str());
  return text;
}

std::string legend(const std::string& name, const char* meaning) {
  char text[128];
  std::snprintf(text, sizeof text, "%-12s%s\n", name.c_str(), meaning);
  return text;
}

std::string figures_row(const ServerFigures& figures) {
  return row(figures.name,
             {support::format_number(figures.requests_per_second(), 0),
              support::format_time(figures.cpu_ns_per_request()),
              support::format_time(static_cast<double>(figures.latency_ns.percentile(50))),
              support::format_time(static_cast<double>(figures.latency_ns.percentile(99)))});
}

// Who was never answered is in no latency: without this the times would flatter the server.
std::string waiting_note(const ServerFigures& figures, std::uint32_t clients) {
  if (figures.clients_answered == clients) {
    return "";
  }
  return "  " + figures.name + ": only " + std::to_string(figures.clients_answered) + " of the " +
         std::to_string(clients) + " clients got an answer at all; the times are theirs alone\n";
}

std::string cpus_as_text(const Cpus& cpus) {
  if (!cpus.server) {
    return "Nothing is pinned to a CPU: that is not allowed here.\n";
  }
  const std::string server = std::to_string(*cpus.server);
  if (cpus.are_shared()) {
    return "There is one CPU only (" + server +
           "): the client takes its time from the servers, all alike.\n";
  }
  return "The servers have CPU " + server + ", one after the other; the clients have CPU " +
         std::to_string(*cpus.client) + ".\n";
}

void add_optional(support::JsonWriter& json, const char* key, const std::optional<int>& value) {
  json.key(key);
  if (value) {
    json.value(*value);
  } else {
    json.null();
  }
}

void add_server(support::JsonWriter& json, const ServerFigures& figures) {
  json.begin_object().member("name", figures.name).member("requests", figures.requests);
  json.member("requests_per_second", figures.requests_per_second());
  json.member("cpu_ns_per_request", figures.cpu_ns_per_request());
  json.member("p50_ns", figures.latency_ns.percentile(50));
  json.member("p99_ns", figures.latency_ns.percentile(99));
  json.member("clients_answered", figures.clients_answered).end_object();
}

void add_ratio(support::JsonWriter& json, const support::Comparison& comparison) {
  json.begin_object().member("median", comparison.median_ratio).key("interval_95");
  if (comparison.interval_95) {
    json.begin_array().value(comparison.interval_95->low).value(comparison.interval_95->high);
    json.end_array();
  } else {
    json.null();
  }
  json.member("pairs", comparison.pairs);
  json.member("verdict", support::verdict_name(comparison.verdict)).end_object();
}

void add_duel(support::JsonWriter& json, const Duel& duel) {
  json.begin_object().member("file_bytes", duel.plan.file->content.size());
  json.member("clients", duel.plan.clients);
  json.member("connections", name_of(duel.plan.connections));
  json.key("servers").begin_array();
  add_server(json, duel.ours);
  add_server(json, duel.other);
  json.end_array().key("ratios").begin_object();
  for (const Quantity& quantity : kQuantities) {
    json.key(quantity.name);
    add_ratio(json, duel.compare(quantity.value, quantity.better));
  }
  json.end_object().end_object();
}

}  // namespace

std::string heading_as_text(const Setting& setting) {
  const std::string slice = support::format_quantity(
      static_cast<std::int64_t>(setting.slices.slice_ns), support::kTimeUnits);
  return legend("ring", "this server") +
         legend("one thread", "accept, answer one request, close, accept the next; calls block") +
         legend(std::to_string(setting.threads) + " threads",
                "each serves one connection until its client closes it; the rest wait") +
         "The ring server keeps files open from one request to the next; the two others open the\n"
         "file for each. The server with one thread closes after each answer, so beside it the\n"
         "ring server is asked to do the same; it then waits for the client's end, too, before it\n"
         "closes, while the two others close at once.\n" +
         cpus_as_text(setting.cpus) + std::to_string(setting.slices.pairs) +
         " pairs of slices of " + slice + ", A B B A. Ratios are medians of the pairs" +
         (support::median_interval_ranks(setting.slices.pairs)
              ? ", with their 95% intervals.\n"
              : "; for a 95% interval it takes six.\n");
}

std::string duel_as_text(const Duel& duel) {
  const std::uint32_t clients = duel.plan.clients;
  std::string text =
      "\n" + duel.plan.file->name + ", " + std::to_string(clients) +
      (clients == 1 ? " client, " : " clients, ") +
      (duel.plan.connections == Connections::PerRequest ? "a connection for each request\n"
                                                        : "connections kept alive\n");
  text += row("", {"requests/s", "server CPU/request", "p50", "p99"});
  text += figures_row(duel.ours) + figures_row(duel.other);
  std::array<std::string, kQuantities.size()> ratios;
  for (std::size_t i = 0; i < kQuantities.size(); ++i) {
    ratios[i] = support::format_ratio(duel.compare(kQuantities[i].value, kQuantities[i].better));
  }
  text += row(duel.ours.name + " / " + duel.other.name, ratios);
  return text + waiting_note(duel.ours, clients) + waiting_note(duel.other, clients);
}

std::string as_json(const Setting& setting, std::span<const Duel> duels) {
  support::JsonWriter json;
  json.begin_object().key("cpus").begin_object();
  add_optional(json, "server", setting.cpus.server);
  add_optional(json, "client", setting.cpus.client);
  json.member("shared", setting.cpus.are_shared()).end_object();
  json.member("slice_ns", setting.slices.slice_ns).member("pairs", setting.slices.pairs);
  json.member("threads", setting.threads).key("comparisons").begin_array();
  for (const Duel& duel : duels) {
    add_duel(json, duel);
  }
  json.end_array().end_object();
  return json.finish();
}

}  // namespace file_server::serve_bench
