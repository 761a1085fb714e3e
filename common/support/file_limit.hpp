#pragma once
// How many descriptors the process may have open.

#include <cstdint>

namespace support {

// Raises the soft limit (RLIMIT_NOFILE, 1024 on most systems) to the hard one, which needs no
// privilege. Returns how many more descriptors can be opened now. `open_fd` is any open descriptor.
[[nodiscard]] std::uint64_t raise_file_limit(int open_fd);

// As many connections as `wanted`, or as that leaves room for beside `spare` other descriptors, at
// least 1; then with a warning on stderr that begins with `program`.
[[nodiscard]] std::uint32_t connection_limit(const char* program, std::uint32_t wanted,
                                             std::uint64_t spare, int open_fd);

}  // namespace support
