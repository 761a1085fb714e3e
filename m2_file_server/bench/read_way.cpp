#include "m2_file_server/bench/read_way.hpp"

#include <algorithm>

namespace file_server::bench_read {
namespace {

// The depth that the short set has in its plain form, too.
std::uint32_t plain_depth(std::span<const std::uint32_t> depths) {
  std::uint32_t nearest = 0;
  for (const std::uint32_t depth : depths) {
    if (depth <= kThreads) {
      nearest = std::max(nearest, depth);
    }
  }
  return nearest;
}

}  // namespace

const char* name_of(Cache cache) {
  switch (cache) {
    case Cache::Direct:
      return "direct";
    case Cache::Cold:
      return "cold";
    case Cache::Hot:
      return "hot";
  }
  return "?";
}

std::string name_of(const ReadWay& way) {
  std::string name = way.method == Method::Pread     ? "pread"
                     : way.method == Method::Threads ? "threads"
                                                     : "ring" + std::to_string(way.depth);
  name += std::string("-") + name_of(way.cache);
  name += way.fixed_buffers ? "-buffers" : "";
  name += way.registered_files ? "-files" : "";
  return name;
}

std::vector<ReadWay> ways_to_read(std::span<const std::uint32_t> depths, bool full) {
  const std::uint32_t also_plain = plain_depth(depths);
  std::vector<ReadWay> ways;
  for (const Cache cache : {Cache::Direct, Cache::Cold, Cache::Hot}) {
    ways.push_back({.method = Method::Pread, .cache = cache});
    ways.push_back({.method = Method::Threads, .cache = cache, .depth = kThreads});
    for (const std::uint32_t depth : depths) {
      for (const bool buffers : {false, true}) {
        for (const bool files : {false, true}) {
          const bool is_plain = !buffers && !files;
          if (full || (buffers && files) || (is_plain && depth == also_plain)) {
            ways.push_back({.method = Method::Ring,
                            .cache = cache,
                            .depth = depth,
                            .fixed_buffers = buffers,
                            .registered_files = files});
          }
        }
      }
    }
  }
  return ways;
}

}  // namespace file_server::bench_read
