#include "common/server/report.hpp"

#include <cinttypes>
#include <cstdio>
#include <string_view>

#include "common/net/socket.hpp"
#include "common/support/counters.hpp"

namespace server {
namespace {

std::string_view state_of(const Connection& connection, bool is_writing) {
  if (connection.ending || connection.lingering || connection.closing) {
    return "closing";
  }
  if (connection.reading_stopped) {
    return "stopped";
  }
  return is_writing ? "writing" : "reading";
}

// Asked now and not kept: 28 bytes for each connection, for a report that may never be wanted.
std::string peer_of(const Connection& connection, bool is_direct) {
  if (connection.closing) {
    return "gone";  // and the number of its descriptor may be another connection's
  }
  if (is_direct) {
    return "-";
  }
  const auto peer = net::peer_address(connection.fd);
  return peer ? peer->to_string() : "gone";
}

}  // namespace

support::ConnectionRow report_row(const Connection& connection, const Shown& shown) {
  constexpr std::uint64_t kNsPerMs = 1'000'000;
  return {.fd = connection.fd,
          .peer = peer_of(connection, shown.direct),
          .state = state_of(connection, shown.is_writing),
          .ops = shown.ops,
          .received_bytes = connection.received_bytes,
          .sent_bytes = connection.sent_bytes,
          .buffered_bytes = shown.waiting_bytes,
          .age_ms = (shown.now_ns - connection.opened_ns) / kNsPerMs,
          .closes_at_ns = connection.closing ? 0 : connection.expires_at_ns()};
}

void print(const Report& report) {
  std::string text = "--- report\nconnections " + std::to_string(report.connections) + '\n';
  text += support::connection_table(report.rows);
  text += support::counters_as_text(report.server);
  text += support::counters_as_text(report.acceptor);
  text += report.protocol_counters;
  text += support::counters_as_text(report.loop);
  text += report.protocol_details;
  text += "--- end of report\n";
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

void print_stats(std::uint64_t elapsed_ns, std::uint32_t connections,
                 const support::ServerCounters& counters) {
  constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
  std::printf("stats %" PRIu64 ".%09" PRIu64 " connections %" PRIu32 " accepted %" PRIu64
              " received %" PRIu64 " sent %" PRIu64 "\n",
              elapsed_ns / kNsPerSecond, elapsed_ns % kNsPerSecond, connections, counters.accepted,
              counters.received_bytes, counters.sent_bytes);
  std::fflush(stdout);
}

}  // namespace server
