#include "m2_file_server/bench/read_report.hpp"

#include <cstdarg>
#include <cstdio>

#include "common/support/format_bytes.hpp"
#include "common/support/quantity.hpp"
#include "common/support/statistics.hpp"

namespace file_server::bench_read {
namespace {

[[gnu::format(printf, 2, 3)]] void add(std::string& text, const char* format, ...) {
  char line[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  text += line;
}

double us(std::uint64_t ns) {
  return static_cast<double>(ns) / 1000;
}

// "2.53 [2.49, 2.61]"
std::string ratio_text(const support::Comparison& comparison) {
  std::string text;
  add(text, "%.2f", comparison.median_ratio);
  if (comparison.interval_95) {
    add(text, " [%.2f, %.2f]", comparison.interval_95->low, comparison.interval_95->high);
  }
  return text;
}

void add_contenders(std::string& text, std::span<const Contender> contenders) {
  add(text, "%-28s %10s %12s %11s %11s\n", "", "reads/s", "CPU us/read", "p50 us", "p99 us");
  for (const Contender& contender : contenders) {
    add(text, "%-28s %10.0f %12.2f %11.1f %11.1f\n", name_of(contender.way).c_str(),
        support::median(contender.reads_per_s), support::median(contender.cpu_ns_per_read) / 1000,
        us(contender.latency_ns.percentile(50)), us(contender.latency_ns.percentile(99)));
  }
}

void add_pairings(std::string& text, const std::vector<Paired>& pairs) {
  if (pairs.empty()) {
    return;
  }
  add(text, "\n%-28s %-16s %-22s %s\n", "slice beside slice", "against", "reads/s, times",
      "CPU per read, times");
  for (const Paired& pair : pairs) {
    add(text, "%-28s %-16s %-22s %s\n", name_of(pair.ours->way).c_str(),
        name_of(pair.reference->way).c_str(), ratio_text(pair.reads_per_s()).c_str(),
        ratio_text(pair.cpu_per_read()).c_str());
  }
}

void add_notes(std::string& text, const ReadResults& results) {
  text +=
      "\nCPU is that of all threads of this process, io-wq's among them, without the kernel's own\n"
      "threads and, as a rule, without interrupts.\n";
  constexpr double kNoise = 0.01;  // an idle worker wakes now and then, to see whether it may end
  bool io_wq_used = false;
  for (const Contender& contender : results.contenders) {
    if (contender.io_wq_share > kNoise) {
      io_wq_used = true;
      add(text, "%s: io-wq threads had up to %.0f%% of the CPU time of a slice.\n",
          name_of(contender.way).c_str(), contender.io_wq_share * 100);
    }
  }
  text += io_wq_used ? "" : "No read went to an io-wq thread.\n";
  for (const CacheSeen& seen : results.caches) {
    if (!seen.as_wished()) {
      add(text, "%s was not so: before a slice, %.1f%% of the file were in the page cache.\n",
          name_of(seen.cache), seen.worst_share * 100);
    }
  }
}

}  // namespace

std::string results_as_text(const ReadOptions& options, const ReadResults& results) {
  std::string text;
  add(text, "random reads of 4 KiB from a file of %s, %u slices of %s each\n\n",
      support::format_bytes(options.size).c_str(), options.pairs,
      support::format_quantity(options.slice.count(), support::kTimeUnits).c_str());
  add_contenders(text, results.contenders);
  add_pairings(text, pairings(results.contenders));
  add_notes(text, results);
  return text;
}

}  // namespace file_server::bench_read
