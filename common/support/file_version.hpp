#pragma once
// What tells one version of a file from another.

#include <sys/stat.h>

#include <cstdint>

#include "common/base/errno.hpp"

namespace support {

struct FileVersion {
  std::uint64_t size = 0;
  std::int64_t modified_s = 0;  // since 1970, UTC
  std::int64_t modified_ns = 0;

  friend bool operator==(const FileVersion&, const FileVersion&) = default;
};

[[nodiscard]] inline FileVersion version_of(const struct stat& status) {
  return {.size = static_cast<std::uint64_t>(status.st_size),
          .modified_s = status.st_mtim.tv_sec,
          .modified_ns = status.st_mtim.tv_nsec};
}

// fstat(2), with its error as a value.
[[nodiscard]] inline base::Result<struct stat> file_status(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) {
    return base::fail(base::last_error());
  }
  return status;
}

}  // namespace support
