#pragma once
// What O_DIRECT asks for: offsets and lengths in whole units of the device.

#include <cstdint>

namespace file_server {

// The unit of offsets and lengths for this file, opened with O_DIRECT: what statx says
// (STATX_DIOALIGN, Linux 6.1), or 4096, which every device of today divides. 1 if the file was opened
// without O_DIRECT, or the file system says that it takes any.
[[nodiscard]] std::uint32_t direct_alignment(int fd);

}  // namespace file_server
