#pragma once
// The Range field, as far as we honour it: one range of bytes.

#include <cstdint>
#include <string_view>

namespace http {

struct ByteRange {
  enum class Kind : std::uint8_t {
    Whole,          // there is no range that we honour: the whole file, with 200
    Part,           // `first` and `length`, with 206
    Unsatisfiable,  // the range begins behind the end of the file: 416
  };
  Kind kind = Kind::Whole;
  std::uint64_t first = 0;
  std::uint64_t length = 0;
};

// `field`: the value of Range. Malformed values, other units and several ranges at once are
// ignored, as RFC 9110 (section 14.2) allows; a Part has at least one byte and lies within `size`.
[[nodiscard]] ByteRange byte_range(std::string_view field, std::uint64_t size);

}  // namespace http
