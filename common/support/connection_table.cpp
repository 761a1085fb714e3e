#include "common/support/connection_table.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

namespace support {
namespace {

constexpr std::size_t kColumns = 9;
using Line = std::array<std::string, kColumns>;

Line line_of(const ConnectionRow& row) {
  return {std::to_string(row.fd),
          row.peer,
          std::string(row.state),
          row.ops ? std::to_string(*row.ops) : "-",
          std::to_string(row.received_bytes),
          std::to_string(row.sent_bytes),
          std::to_string(row.buffered_bytes),
          std::to_string(row.age_ms),
          std::to_string(row.closes_at_ns)};
}

}  // namespace

std::string connection_table(std::span<const ConnectionRow> rows) {
  std::vector<Line> lines = {
      {"fd", "peer", "state", "ops", "received", "sent", "buffered", "age_ms", "closes_at_ns"}};
  for (const ConnectionRow& row : rows) {
    lines.push_back(line_of(row));
  }
  std::array<std::size_t, kColumns> widths{};
  for (const Line& line : lines) {
    for (std::size_t column = 0; column < kColumns; ++column) {
      widths[column] = std::max(widths[column], line[column].size());
    }
  }
  std::string table;
  for (const Line& line : lines) {
    for (std::size_t column = 0; column + 1 < kColumns; ++column) {
      table += line[column];
      table.append(widths[column] - line[column].size() + 2, ' ');
    }
    table += line[kColumns - 1] + '\n';
  }
  return table;
}

}  // namespace support
