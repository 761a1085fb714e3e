#pragma once
// What an opcode is called, for dumps and traces.

#include <cstdint>

namespace uring {

// "READ_FIXED" for IORING_OP_READ_FIXED; null for a number that uapi.hpp knows no opcode for.
[[nodiscard]] const char* opcode_name(std::uint8_t opcode);

}  // namespace uring
