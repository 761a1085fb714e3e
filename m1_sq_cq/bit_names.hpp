#pragma once
// The names of the bits that io_uring_setup(2) takes and returns.

#include <cstdint>
#include <string>

namespace m1 {

// "SINGLE_MMAP | NODROP | ..."; a bit without a name as its number. "none" for 0.
[[nodiscard]] std::string feature_bit_names(std::uint32_t bits);
[[nodiscard]] std::string setup_flag_names(std::uint32_t bits);
// The flags word of the SQ ring.
[[nodiscard]] std::string sq_flag_names(std::uint32_t bits);

}  // namespace m1
