#include "common/support/write_all.hpp"

#include <unistd.h>

#include <cerrno>

namespace support {

base::Result<void> write_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (const base::Errno error = base::last_error(); error.value != EINTR) {
        return base::fail(error);
      }
      continue;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace support
