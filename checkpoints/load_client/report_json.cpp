#include <string_view>

#include "checkpoints/load_client/report.hpp"
#include "common/support/json_writer.hpp"

namespace load_client {
namespace {

using support::JsonWriter;

void write_latency(JsonWriter& json, const support::Histogram& latency_ns) {
  json.key("latency_ns").begin_object();
  json.member("count", latency_ns.count()).member("mean", latency_ns.mean());
  json.member("p50", latency_ns.percentile(50)).member("p95", latency_ns.percentile(95));
  json.member("p99", latency_ns.percentile(99)).member("p99.9", latency_ns.percentile(99.9));
  json.member("max", latency_ns.max()).end_object();
}

void write_server(JsonWriter& json, const TargetResult& result) {
  json.key("server");
  if (!result.server) {
    json.null();
    return;
  }
  constexpr double kNsPerSecond = 1e9;
  const ServerUsage& usage = *result.server;
  const ServerMemory memory = result.memory.value_or(ServerMemory{});
  const auto messages = static_cast<double>(result.messages);
  const auto cpu_ns = static_cast<double>(usage.cpu_ns);
  json.begin_object();
  json.member("cpu_ns", usage.cpu_ns);
  json.member("cpu_ns_per_message", messages > 0 ? cpu_ns / messages : 0);
  json.member("messages_per_cpu_second", cpu_ns > 0 ? messages * kNsPerSecond / cpu_ns : 0);
  json.member("voluntary_switches", usage.voluntary_switches);
  json.member("involuntary_switches", usage.involuntary_switches);
  json.member("rss_bytes", memory.rss_bytes).member("rss_max_bytes", memory.rss_max_bytes);
  json.end_object();
}

void write_target(JsonWriter& json, const TargetResult& result) {
  json.begin_object();
  json.member("name", result.target.name).member("address", result.target.address.to_string());
  json.key("pid");
  result.target.pid ? json.value(*result.target.pid) : json.null();
  json.member("messages", result.messages);
  json.member("connections_opened", result.connections_opened);
  json.member("seconds", result.seconds());
  json.member("messages_per_second", result.messages_per_second());
  json.member("bytes_sent", result.bytes_sent).member("bytes_received", result.bytes_received);
  json.key("errors").begin_object();
  for (std::size_t kind = 0; kind < kErrorKinds; ++kind) {
    json.member(name(static_cast<ErrorKind>(kind)), result.errors.counts[kind]);
  }
  json.end_object();
  write_latency(json, result.latency_ns);
  json.key("windows").begin_array();
  for (const Window& window : result.windows) {
    json.begin_object().member("messages", window.messages);
    write_latency(json, window.latency_ns);
    json.end_object();
  }
  json.end_array();
  write_server(json, result);
  json.end_object();
}

void write_comparison(JsonWriter& json, std::string_view key,
                      const support::Comparison& comparison) {
  json.key(key).begin_object().member("ratio", comparison.median_ratio);
  json.key("low");
  comparison.interval_95 ? json.value(comparison.interval_95->low) : json.null();
  json.key("high");
  comparison.interval_95 ? json.value(comparison.interval_95->high) : json.null();
  json.member("verdict", support::verdict_name(comparison.verdict)).end_object();
}

void write_pairs(JsonWriter& json, const Results& results, std::size_t index) {
  using support::Better;
  const Pairs& pairs = results.comparisons[index];
  json.begin_object();
  json.member("ours", results.targets.front().target.name);
  json.member("reference", results.targets[index + 1].target.name);
  json.member("pairs", pairs.count());
  write_comparison(json, "messages_per_second",
                   pairs.compare(&Slice::messages_per_second, Better::Higher));
  write_comparison(json, "messages_per_cpu_second",
                   pairs.compare(&Slice::messages_per_cpu_second, Better::Higher));
  write_comparison(json, "p50", pairs.compare(&Slice::p50_ns, Better::Lower));
  write_comparison(json, "p99", pairs.compare(&Slice::p99_ns, Better::Lower));
  json.end_object();
}

}  // namespace

std::string results_as_json(const Options& options, const Results& results) {
  constexpr double kNsPerSecond = 1e9;
  JsonWriter json;
  json.begin_object();
  json.member("protocol", options.protocol == Protocol::Echo ? "echo" : "http");
  json.member("connections", options.connections).member("pipeline", options.pipeline);
  json.member("rate", options.rate).member("size", options.size);
  json.member("seconds", static_cast<double>(results.measured_ns) / kNsPerSecond);
  json.member("client_cpu_ns", results.client_cpu_ns).member("errors", results.errors());
  json.key("targets").begin_array();
  for (const TargetResult& result : results.targets) {
    write_target(json, result);
  }
  json.end_array();
  json.key("comparisons").begin_array();
  for (std::size_t i = 0; i < results.comparisons.size(); ++i) {
    write_pairs(json, results, i);
  }
  json.end_array().end_object();
  return json.finish() + "\n";
}

}  // namespace load_client
