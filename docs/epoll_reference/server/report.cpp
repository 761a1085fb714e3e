#include "docs/epoll_reference/server/report.hpp"

#include <string_view>
#include <vector>

#include "common/net/socket.hpp"
#include "common/support/connection_table.hpp"

namespace epoll_reference {
namespace {

std::string_view state_of(const Connection& connection, const Protocol& protocol) {
  if (connection.ending || connection.lingering) {
    return "closing";
  }
  if (connection.reading_stopped) {
    return "stopped";
  }
  return protocol.is_writing(connection) ? "writing" : "reading";
}

support::ConnectionRow row_of(const Connection& connection, const Protocol& protocol,
                              std::uint64_t now_ns) {
  constexpr std::uint64_t kNsPerMs = 1'000'000;
  // Asked now and not kept: 28 bytes for each connection, for a report that may never be wanted.
  const auto peer = net::peer_address(connection.fd);
  return {.fd = connection.fd,
          .peer = peer ? peer->to_string() : "gone",
          .state = state_of(connection, protocol),
          .received_bytes = connection.received_bytes,
          .sent_bytes = connection.sent_bytes,
          .buffered_bytes = protocol.waiting_bytes(connection),
          .age_ms = (now_ns - connection.opened_ns) / kNsPerMs,
          .closes_at_ns = connection.expires_at_ns()};
}

}  // namespace

std::string connection_table(const Connection* first, const Protocol& protocol,
                             std::uint64_t now_ns) {
  std::vector<support::ConnectionRow> rows;
  for (const Connection* connection = first; connection != nullptr; connection = connection->next) {
    rows.push_back(row_of(*connection, protocol, now_ns));
  }
  return support::connection_table(rows);
}

}  // namespace epoll_reference
