#pragma once
// Writes the head of a response: status line, fields, empty line.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "common/http/status.hpp"

namespace http {

struct ContentRange {
  std::uint64_t first = 0;
  std::uint64_t length = 0;  // 0: none of it, as a 416 says ("bytes */SIZE")
  std::uint64_t size = 0;    // of the whole file
};

enum class ConnectionField : std::uint8_t { None, Close, KeepAlive };

struct ResponseHead {
  Status status = Status::Ok;
  std::string_view content_type;                // empty: no such field
  std::optional<std::uint64_t> content_length;  // without it: 304, which has no body ever
  std::optional<ContentRange> content_range;
  std::optional<std::int64_t> last_modified_seconds;  // a time that has_date()
  bool accept_ranges = false;
  std::string_view location;  // empty: no such field
  ConnectionField connection = ConnectionField::None;
};

// A head is never longer than this and its location together (of content types up to 64 bytes).
inline constexpr std::size_t kMaxHeadBytes = 512;

// `date` is DateCache::at(now). A 405 gets its Allow field too. Returns the bytes written; `out`
// must be large enough (see kMaxHeadBytes), which is checked. Nothing here looks for line ends in
// the texts: they are our own, or come from functions that let none through (folder_location).
[[nodiscard]] std::size_t write_head(const ResponseHead& head, std::string_view date,
                                     std::span<char> out);

}  // namespace http
