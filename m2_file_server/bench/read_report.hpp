#pragma once
// What `m2_file_server bench read` found, as a table and as JSON.

#include <span>
#include <string>
#include <vector>

#include "m2_file_server/bench/read_contender.hpp"
#include "m2_file_server/bench/read_measure.hpp"
#include "m2_file_server/bench/read_options.hpp"

namespace file_server::bench_read {

struct NotMeasured {
  std::string name;
  std::string reason;
};

struct ReadResults {
  std::vector<Contender> contenders;
  std::vector<CacheSeen> caches;
  std::vector<NotMeasured> not_measured;
};

[[nodiscard]] std::string results_as_text(const ReadOptions& options, const ReadResults& results);

// {"block_bytes":4096,"file_bytes":..,"slice_ns":..,"pairs":..,
//  "contenders":[{"name":..,"method":"pread"|"threads"|"ring","cache":"direct"|"cold"|"hot",
//    "depth":..,"fixed_buffers":..,"registered_files":..,"reads_per_s":..,"cpu_ns_per_read":..,
//    "p50_ns":..,"p99_ns":..,"io_wq_share":..,
//    "slices":{"reads_per_s":[..],"cpu_ns_per_read":[..]}}],
//  "comparisons":[{"ours":..,"reference":..,"reads_per_s":COMPARED,"cpu_per_read":COMPARED}],
//  "caches":[{"cache":..,"worst_share":..,"as_wished":..}],
//  "not_measured":[{"name":..,"reason":..}]}
// COMPARED: {"ratio":..,"interval_95":[..,..]|null,"pairs":..,"verdict":..}; the values beside the
// slices are their medians.
[[nodiscard]] std::string results_as_json(const ReadOptions& options, const ReadResults& results);

}  // namespace file_server::bench_read
