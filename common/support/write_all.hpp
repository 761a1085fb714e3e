#pragma once
// write(2) until everything is written.

#include <cstddef>
#include <span>

#include "common/base/errno.hpp"

namespace support {

// A short write (a pipe, a signal, a disk that is nearly full) is resumed, EINTR is tried again.
// Any other error ends it; part of the bytes may be in the file by then. Blocks if `fd` does; for a
// non-blocking one EAGAIN is an error like the others.
[[nodiscard]] base::Result<void> write_all(int fd, std::span<const std::byte> bytes);

}  // namespace support
