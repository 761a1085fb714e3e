#include "common/http/byte_range.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <system_error>

#include "common/http/characters.hpp"

namespace http {
namespace {

// Digits and nothing else. A number that 64 bits do not hold is behind the end of every file, and
// may as well be the largest.
std::optional<std::uint64_t> parse_position(std::string_view text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [number_end, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc::invalid_argument || number_end != end) {
    return std::nullopt;
  }
  return error == std::errc() ? value : std::numeric_limits<std::uint64_t>::max();
}

// "-n": the last n bytes, or all if there are fewer. Of an empty file that is the whole, which a
// Content-Range cannot express.
ByteRange last_bytes(std::uint64_t count, std::uint64_t size) {
  if (count == 0) {
    return {.kind = ByteRange::Kind::Unsatisfiable};
  }
  if (size == 0) {
    return {};
  }
  const std::uint64_t length = std::min(count, size);
  return {.kind = ByteRange::Kind::Part, .first = size - length, .length = length};
}

}  // namespace

ByteRange byte_range(std::string_view field, std::uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  if (!equals_ignoring_case(field.substr(0, kUnit.size()), kUnit)) {
    return {};
  }
  field.remove_prefix(kUnit.size());
  const std::size_t dash = field.find('-');
  if (dash == std::string_view::npos) {
    return {};
  }
  const std::string_view last_text = field.substr(dash + 1);
  const auto last = parse_position(last_text);
  if (dash == 0) {
    return last ? last_bytes(*last, size) : ByteRange{};
  }
  const auto first = parse_position(field.substr(0, dash));
  // A second range makes the last position no number: several ranges end here as well.
  if (!first || (!last && !last_text.empty()) || (last && *last < *first)) {
    return {};
  }
  if (*first >= size) {
    return {.kind = ByteRange::Kind::Unsatisfiable};
  }
  const std::uint64_t end = last ? std::min(*last, size - 1) : size - 1;
  return {.kind = ByteRange::Kind::Part, .first = *first, .length = end - *first + 1};
}

}  // namespace http
