#include "checkpoints/load_client/report.hpp"

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <vector>

#include "common/support/format_bytes.hpp"
#include "common/support/format_measured.hpp"

namespace load_client {
namespace {

using Row = std::vector<std::string>;

// The first column stands left, the others right.
std::string as_table(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string text;
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string blanks(widths[i] - row[i].size(), ' ');
      text += i == 0 ? row[i] + blanks : "  " + blanks + row[i];
    }
    text += '\n';
  }
  return text;
}

// "-" where there was nothing to divide by.
std::string time_per_message(std::uint64_t total_ns, std::uint64_t messages) {
  return messages == 0
             ? "-"
             : support::format_time(static_cast<double>(total_ns) / static_cast<double>(messages));
}

Row target_row(const Options& options, const TargetResult& result) {
  const bool has_messages = result.messages > 0;
  Row row = {result.target.name, support::format_number(result.messages_per_second(), 0)};
  if (options.stream) {
    const double bytes = result.messages_per_second() * static_cast<double>(options.size);
    row.back() = support::format_bytes(static_cast<std::uint64_t>(bytes)) + "/s";
  }
  for (const double percent : {50.0, 95.0, 99.0, 99.9}) {
    const std::uint64_t latency_ns = result.latency_ns.percentile(percent);
    row.push_back(has_messages ? support::format_time(static_cast<double>(latency_ns)) : "-");
  }
  row.push_back(has_messages ? support::format_time(static_cast<double>(result.latency_ns.max()))
                             : "-");
  if (result.server) {
    const auto cpu_ns = static_cast<double>(result.server->cpu_ns);
    const auto switches = static_cast<double>(result.server->voluntary_switches +
                                              result.server->involuntary_switches);
    constexpr double kNsPerSecond = 1e9;
    row.push_back(time_per_message(result.server->cpu_ns, result.messages));
    row.push_back(cpu_ns > 0 ? support::format_number(
                                   static_cast<double>(result.messages) * kNsPerSecond / cpu_ns, 0)
                             : "-");
    row.push_back(has_messages
                      ? support::format_number(switches / static_cast<double>(result.messages), 3)
                      : "-");
    row.push_back(result.memory ? support::format_bytes(result.memory->rss_bytes) : "-");
  } else {
    row.insert(row.end(), 4, "-");
  }
  row.push_back(std::to_string(result.errors.total()));
  return row;
}

std::string comparison(const support::Comparison& comparison) {
  return support::format_ratio(comparison) + " " + support::verdict_name(comparison.verdict);
}

Row comparison_row(const Results& results, std::size_t index) {
  using support::Better;
  const Pairs& pairs = results.comparisons[index];
  return {results.targets.front().target.name + " / " + results.targets[index + 1].target.name,
          std::to_string(pairs.count()),
          comparison(pairs.compare(&Slice::messages_per_second, Better::Higher)),
          comparison(pairs.compare(&Slice::cpu_ns_per_message, Better::Lower)),
          comparison(pairs.compare(&Slice::p50_ns, Better::Lower)),
          comparison(pairs.compare(&Slice::p99_ns, Better::Lower))};
}

// What is worth a line only if it happened.
std::string remarks(const Options& options, const TargetResult& result) {
  std::string text;
  const std::string start = result.target.name + ": ";
  if (options.requests_per_connection > 0) {
    text += start + std::to_string(result.connections_opened) +
            " connections opened, connect p50 " +
            support::format_time(static_cast<double>(result.connect_ns.percentile(50))) + ", p99 " +
            support::format_time(static_cast<double>(result.connect_ns.percentile(99))) + "\n";
  }
  if (result.overdue > 0) {
    text += start + std::to_string(result.overdue) +
            " messages were due and found no connection before the end\n";
  }
  if (result.target.pid && result.measured_ns > 0 && !result.server) {
    text += start + "its process could not be watched\n";
  }
  return text;
}

}  // namespace

std::string results_as_text(const Options& options, const Results& results) {
  std::vector<Row> rows = {{"target", options.stream ? "echoed" : "messages/s", "p50", "p95", "p99",
                            "p99.9", "max", "CPU/message", "messages/CPU-s", "switches/message",
                            "RSS", "errors"}};
  for (const TargetResult& result : results.targets) {
    rows.push_back(target_row(options, result));
  }
  std::string text = as_table(rows);
  for (const TargetResult& result : results.targets) {
    text += remarks(options, result);
  }
  if (!results.comparisons.empty()) {
    rows = {{"ours / reference", "pairs", "messages/s", "server CPU/message", "p50", "p99"}};
    for (std::size_t i = 0; i < results.comparisons.size(); ++i) {
      rows.push_back(comparison_row(results, i));
    }
    text += "\n" + as_table(rows);
  }
  text += "\nclient CPU/message " + time_per_message(results.client_cpu_ns, results.messages()) +
          (results.was_interrupted ? ", interrupted: the results so far\n" : "\n");
  return text;
}

std::string errors_as_text(const Results& results) {
  std::string text;
  for (const TargetResult& result : results.targets) {
    for (std::size_t kind = 0; kind < kErrorKinds; ++kind) {
      const std::uint64_t count = result.errors.counts[kind];
      if (count > 0) {
        text += "load_client: " + result.target.name + ": " + std::to_string(count) + " x " +
                name(static_cast<ErrorKind>(kind)) + ", the first: " + result.errors.first[kind] +
                "\n";
      }
    }
  }
  return text;
}

}  // namespace load_client
