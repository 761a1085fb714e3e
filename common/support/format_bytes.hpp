#pragma once
// Numbers of bytes for people.

#include <cstdint>
#include <string>

namespace support {

// "999 B", "1.0 KiB", "12.3 MiB", "1.5 GiB": three or four digits and a power of 1024.
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);

}  // namespace support
