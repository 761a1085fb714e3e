#include "m2_file_server/bench/read_measure.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <system_error>
#include <utility>

namespace file_server::bench_read {
namespace {

constexpr std::uint64_t kEndless = std::numeric_limits<std::uint64_t>::max();

// The CPU time that the kernel's worker threads for this process's rings have had. 0 where the
// kernel does not keep /proc/PID/schedstat.
std::uint64_t io_wq_cpu_ns() {
  std::uint64_t sum_ns = 0;
  std::error_code ended;  // a thread may go while we look
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", ended)) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm"), name);
    if (name.starts_with("iou-wrk")) {
      std::uint64_t cpu_ns = 0;
      std::ifstream(task.path() / "schedstat") >> cpu_ns;
      sum_ns += cpu_ns;
    }
  }
  return sum_ns;
}

struct Measurement {
  ReadFile& file;
  const MeasureOptions& options;
  std::vector<std::uint32_t> order;
  std::uint64_t slices = 0;

  // One slice, without keeping what it says.
  Outcome<Slice> run(const Contender& contender, std::uint64_t duration_ns,
                     support::Histogram& latency_ns, CacheSeen& seen) {
    const Cache cache = contender.way.cache;
    if (cache != Cache::Direct) {
      const auto share = file.bring_cache_to(cache);
      if (!share) {
        return std::unexpected(std::string("the page cache: ") + share.error().message());
      }
      seen.worst_share = cache == Cache::Hot ? std::min(seen.worst_share, *share)
                                             : std::max(seen.worst_share, *share);
    }
    // Once round, and what was cold is hot.
    const std::uint64_t steps = cache == Cache::Cold ? order.size() : kEndless;
    const Walk walk(order, mix(options.seed + ++slices) % order.size(), steps);
    auto slice = contender.read(walk, duration_ns, latency_ns);
    if (!slice) {
      return std::unexpected(name_of(contender.way) + ": " + slice.error());
    }
    return slice;
  }

  Outcome<void> sample(Contender& contender, CacheSeen& seen) {
    const std::uint64_t before_ns = io_wq_cpu_ns();
    const auto slice = run(contender, options.slice_ns, contender.latency_ns, seen);
    if (!slice) {
      return std::unexpected(slice.error());
    }
    contender.reads_per_s.push_back(slice->reads_per_s());
    contender.cpu_ns_per_read.push_back(slice->cpu_ns_per_read());
    const std::uint64_t after_ns = io_wq_cpu_ns();
    const std::uint64_t io_wq_ns = after_ns - std::min(before_ns, after_ns);  // one may have ended
    contender.io_wq_share = std::max(
        contender.io_wq_share, static_cast<double>(io_wq_ns) / static_cast<double>(slice->cpu_ns));
    return {};
  }

  // All have the same cache.
  Outcome<CacheSeen> rounds(std::span<Contender> contenders) {
    CacheSeen seen{.cache = contenders[0].way.cache,
                   .worst_share = contenders[0].way.cache == Cache::Hot ? 1.0 : 0.0};
    for (const Contender& contender : contenders) {
      support::Histogram forgotten;  // a first slice warms up what there is besides the page cache
      if (const auto ran = run(contender, options.slice_ns / 4, forgotten, seen); !ran) {
        return std::unexpected(ran.error());
      }
    }
    for (std::uint32_t round = 0; round < options.rounds; ++round) {
      for (std::size_t i = 0; i < contenders.size(); ++i) {
        const std::size_t index = round % 2 == 0 ? i : contenders.size() - 1 - i;
        if (const auto sampled = sample(contenders[index], seen); !sampled) {
          return std::unexpected(sampled.error());
        }
      }
    }
    return seen;
  }
};

}  // namespace

Outcome<std::vector<CacheSeen>> measure(std::span<Contender> contenders, ReadFile& file,
                                        const MeasureOptions& options) {
  Measurement measurement{
      .file = file,
      .options = options,
      .order =
          shuffled_blocks(static_cast<std::uint32_t>(file.bytes() / kBlockBytes), options.seed)};
  std::vector<CacheSeen> caches;
  while (!contenders.empty()) {
    const Cache cache = contenders.front().way.cache;
    const auto other = std::ranges::find_if(
        contenders, [cache](const Contender& contender) { return contender.way.cache != cache; });
    const auto alike = static_cast<std::size_t>(other - contenders.begin());
    const auto seen = measurement.rounds(contenders.first(alike));
    if (!seen) {
      return std::unexpected(seen.error());
    }
    if (cache != Cache::Direct) {
      caches.push_back(*seen);
    }
    contenders = contenders.subspan(alike);
  }
  return caches;
}

std::vector<Paired> pairings(std::span<const Contender> contenders) {
  std::vector<Paired> pairs;
  for (const Contender& ours : contenders) {
    if (ours.way.method != Method::Ring) {
      continue;
    }
    for (const Contender& reference : contenders) {
      if (reference.way.method != Method::Ring && reference.way.cache == ours.way.cache) {
        pairs.push_back({.ours = &ours, .reference = &reference});
      }
    }
  }
  return pairs;
}

}  // namespace file_server::bench_read
