#pragma once
// What a server prints about its connections when SIGUSR1 asks for a report.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace support {

struct ConnectionRow {
  int fd = -1;
  std::string peer;  // its address, or why there is none
  std::string_view state;
  std::optional<std::uint32_t> ops = {};  // operations in flight, where there are such things
  std::uint64_t received_bytes = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t buffered_bytes = 0;  // that wait for this client
  std::uint64_t age_ms = 0;
  std::uint64_t closes_at_ns = 0;  // when its silence, or a deadline, will close it
};

// A line of headings, then a line for each row, in columns.
[[nodiscard]] std::string connection_table(std::span<const ConnectionRow> rows);

}  // namespace support
