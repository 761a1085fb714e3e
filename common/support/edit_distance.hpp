#pragma once
// How far apart two words are: what "did you mean ...?" is made of.

#include <cstddef>
#include <string_view>

namespace support {

// How many letters must be put in, left out or replaced to make one word of the other.
[[nodiscard]] std::size_t edit_distance(std::string_view from, std::string_view to);

}  // namespace support
