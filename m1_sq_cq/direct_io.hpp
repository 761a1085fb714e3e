#pragma once
// O_DIRECT: reads and writes that go past the page cache, and what they ask of memory and offsets.

#include <cstdint>
#include <expected>
#include <string>

#include "common/base/unique_fd.hpp"

namespace m1 {

struct DirectFile {
  base::UniqueFd fd;           // for reading
  std::uint32_t memory_align;  // addresses must be multiples of it, in bytes
  std::uint32_t offset_align;  // and offsets and lengths of this
  bool alignment_stated;       // by the kernel; otherwise 4096, which suits every disk there is
};

// Opens the file for reading past the page cache. An error is a sentence: who does not do that, and
// why. (Linux 6.1 states the alignment: STATX_DIOALIGN, statx(2).)
[[nodiscard]] std::expected<DirectFile, std::string> open_direct(const std::string& path);

}  // namespace m1
