#pragma once
// The file that is read: made with its blocks, opened with and without O_DIRECT, and brought into
// or out of the page cache.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>

#include "common/base/errno.hpp"
#include "common/base/unique_fd.hpp"
#include "m2_file_server/bench/read_blocks.hpp"
#include "m2_file_server/bench/read_way.hpp"

namespace file_server::bench_read {

// A value, or one sentence that says what went wrong.
template <class T>
using Outcome = std::expected<T, std::string>;

[[nodiscard]] inline std::unexpected<std::string> wrong_block(std::uint64_t offset) {
  return std::unexpected("the read at " + std::to_string(offset) +
                         " brought other bytes than that block has");
}
[[nodiscard]] inline std::unexpected<std::string> failed_read(std::uint64_t offset,
                                                              base::Errno error) {
  return std::unexpected("the read at " + std::to_string(offset) + " failed: " + error.message() +
                         " (" + error.name() + ")");
}
[[nodiscard]] inline std::unexpected<std::string> file_ended(std::uint64_t offset) {
  return std::unexpected("the file ended before " + std::to_string(offset + kBlockBytes));
}

// With pread(2), as often as it takes. Nothing, when the whole and right block is there.
[[nodiscard]] Outcome<void> pread_block(int fd, std::span<std::byte> block, std::uint64_t offset);

struct ReadFileOptions {
  std::string path;       // kept, and used again if it is there; empty: a file without a name
  std::string directory;  // where that one is made
  std::uint64_t bytes;    // a multiple of a block
};

class ReadFile {
 public:
  // The file is complete and on the disk when this returns.
  [[nodiscard]] static Outcome<ReadFile> prepare(const ReadFileOptions& options);

  [[nodiscard]] int fd(Cache cache) const {
    return cache == Cache::Direct ? direct_.get() : buffered_.get();
  }
  // Empty when reads of blocks can be had with this cache; else the sentence that says why not.
  [[nodiscard]] const std::string& why_not(Cache cache) const {
    return cache == Cache::Direct ? why_not_direct_ : why_not_buffered_;
  }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

  // For Cold and Hot: drops the file's pages, or reads all of it. Returns which share of it is
  // cached then, which is for the caller to judge: pages may stay that somebody else uses, or leave
  // when memory is short.
  [[nodiscard]] base::Result<double> bring_cache_to(Cache cache);

 private:
  ReadFile() = default;
  [[nodiscard]] Outcome<void> open_existing(const std::string& path);
  [[nodiscard]] Outcome<void> fill();
  // `path` must name the file that is open.
  void open_direct(const std::string& path);
  [[nodiscard]] base::Result<double> cached_share() const;

  base::UniqueFd buffered_;
  base::UniqueFd direct_;
  std::string why_not_direct_;
  std::string why_not_buffered_;
  std::uint64_t bytes_ = 0;
};

}  // namespace file_server::bench_read
