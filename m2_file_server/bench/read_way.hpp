#pragma once
// The ways to read that are compared. Pure: which there are, and what they are called.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace file_server::bench_read {

enum class Method : std::uint8_t { Pread, Threads, Ring };

// What a read finds: no page cache at all (O_DIRECT), one without the block, one with it.
enum class Cache : std::uint8_t { Direct, Cold, Hot };

struct ReadWay {
  Method method = Method::Pread;
  Cache cache = Cache::Direct;
  std::uint32_t depth = 1;  // reads in flight at once
  // Of the ring: READ_FIXED into memory that is pinned once; the file by its place in a table.
  bool fixed_buffers = false;
  bool registered_files = false;

  friend bool operator==(const ReadWay&, const ReadWay&) = default;
};

inline constexpr std::uint32_t kThreads = 64;

// "pread-hot", "threads-direct", "ring64-direct-buffers-files".
[[nodiscard]] std::string name_of(const ReadWay& way);
[[nodiscard]] const char* name_of(Cache cache);

// Those with the same Cache stand together, pread first, then the threads. Of the ring, the full
// matrix has every depth with and without fixed buffers and registered files; the short one has
// every depth with both, and 64 (or what is nearest below) without either, too.
[[nodiscard]] std::vector<ReadWay> ways_to_read(std::span<const std::uint32_t> depths, bool full);

}  // namespace file_server::bench_read
