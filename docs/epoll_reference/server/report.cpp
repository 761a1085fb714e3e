#include "docs/epoll_reference/server/report.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include "common/net/socket.hpp"

namespace epoll_reference {
namespace {

constexpr std::size_t kColumns = 8;
using Row = std::array<std::string, kColumns>;

std::string_view state_of(const Connection& connection, const Protocol& protocol) {
  if (connection.ending || connection.lingering) {
    return "closing";
  }
  if (connection.reading_stopped) {
    return "stopped";
  }
  return protocol.is_writing(connection) ? "writing" : "reading";
}

Row row_of(const Connection& connection, const Protocol& protocol, std::uint64_t now_ns) {
  constexpr std::uint64_t kNsPerMs = 1'000'000;
  // Asked now and not kept: 28 bytes for each connection, for a report that may never be wanted.
  const auto peer = net::peer_address(connection.fd);
  const std::size_t waiting_bytes = protocol.waiting_bytes(connection);
  return {std::to_string(connection.fd),
          peer ? peer->to_string() : "gone",
          std::string(state_of(connection, protocol)),
          std::to_string(connection.received_bytes),
          std::to_string(connection.sent_bytes),
          std::to_string(waiting_bytes),
          std::to_string((now_ns - connection.opened_ns) / kNsPerMs),
          std::to_string(connection.expires_at_ns())};
}

}  // namespace

std::string connection_table(const Connection* first, const Protocol& protocol,
                             std::uint64_t now_ns) {
  std::vector<Row> rows = {
      {"fd", "peer", "state", "received", "sent", "buffered", "age_ms", "closes_at_ns"}};
  for (const Connection* connection = first; connection != nullptr; connection = connection->next) {
    rows.push_back(row_of(*connection, protocol, now_ns));
  }
  std::array<std::size_t, kColumns> widths{};
  for (const Row& row : rows) {
    for (std::size_t column = 0; column < kColumns; ++column) {
      widths[column] = std::max(widths[column], row[column].size());
    }
  }
  std::string table;
  for (const Row& row : rows) {
    for (std::size_t column = 0; column + 1 < kColumns; ++column) {
      table += row[column];
      table.append(widths[column] - row[column].size() + 2, ' ');
    }
    table += row[kColumns - 1] + '\n';
  }
  return table;
}

}  // namespace epoll_reference
