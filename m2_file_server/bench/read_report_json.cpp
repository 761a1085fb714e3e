#include "common/support/json_writer.hpp"
#include "common/support/statistics.hpp"
#include "m2_file_server/bench/read_report.hpp"

namespace file_server::bench_read {
namespace {

using support::JsonWriter;

const char* method_name(Method method) {
  switch (method) {
    case Method::Pread:
      return "pread";
    case Method::Threads:
      return "threads";
    case Method::Ring:
      return "ring";
  }
  return "?";
}

void add_numbers(JsonWriter& json, const char* name, std::span<const double> numbers) {
  json.key(name).begin_array();
  for (const double number : numbers) {
    json.value(number);
  }
  json.end_array();
}

void add_contender(JsonWriter& json, const Contender& contender) {
  const ReadWay& way = contender.way;
  json.begin_object().member("name", name_of(way)).member("method", method_name(way.method));
  json.member("cache", name_of(way.cache)).member("depth", way.depth);
  json.member("fixed_buffers", way.fixed_buffers).member("registered_files", way.registered_files);
  json.member("reads_per_s", support::median(contender.reads_per_s));
  json.member("cpu_ns_per_read", support::median(contender.cpu_ns_per_read));
  json.member("p50_ns", contender.latency_ns.percentile(50));
  json.member("p99_ns", contender.latency_ns.percentile(99));
  json.member("io_wq_share", contender.io_wq_share);
  json.key("slices").begin_object();
  add_numbers(json, "reads_per_s", contender.reads_per_s);
  add_numbers(json, "cpu_ns_per_read", contender.cpu_ns_per_read);
  json.end_object().end_object();
}

void add_comparison(JsonWriter& json, const char* name, const support::Comparison& comparison) {
  json.key(name).begin_object().member("ratio", comparison.median_ratio).key("interval_95");
  if (comparison.interval_95) {
    json.begin_array();
    json.value(comparison.interval_95->low).value(comparison.interval_95->high).end_array();
  } else {
    json.null();
  }
  json.member("pairs", comparison.pairs);
  json.member("verdict", support::verdict_name(comparison.verdict)).end_object();
}

}  // namespace

std::string results_as_json(const ReadOptions& options, const ReadResults& results) {
  JsonWriter json;
  json.begin_object().member("block_bytes", kBlockBytes).member("file_bytes", options.size);
  json.member("slice_ns", options.slice.count()).member("pairs", options.pairs);
  json.key("contenders").begin_array();
  for (const Contender& contender : results.contenders) {
    add_contender(json, contender);
  }
  json.end_array().key("comparisons").begin_array();
  for (const Paired& pair : pairings(results.contenders)) {
    json.begin_object().member("ours", name_of(pair.ours->way));
    json.member("reference", name_of(pair.reference->way));
    add_comparison(json, "reads_per_s", pair.reads_per_s());
    add_comparison(json, "cpu_per_read", pair.cpu_per_read());
    json.end_object();
  }
  json.end_array().key("caches").begin_array();
  for (const CacheSeen& seen : results.caches) {
    json.begin_object().member("cache", name_of(seen.cache));
    json.member("worst_share", seen.worst_share).member("as_wished", seen.as_wished());
    json.end_object();
  }
  json.end_array().key("not_measured").begin_array();
  for (const NotMeasured& missing : results.not_measured) {
    json.begin_object().member("name", missing.name).member("reason", missing.reason).end_object();
  }
  json.end_array().end_object();
  return json.finish() + "\n";
}

}  // namespace file_server::bench_read
