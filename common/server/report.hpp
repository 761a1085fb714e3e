#pragma once
// What a server prints: the report that SIGUSR1 asks for, and the line of --stats-interval.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "common/loop/event_loop.hpp"
#include "common/server/acceptor.hpp"
#include "common/server/connection.hpp"
#include "common/support/connection_table.hpp"
#include "common/support/server_counters.hpp"

namespace server {

// What the row shows beside the connection's own fields.
struct Shown {
  bool direct = false;  // it has no descriptor, so nobody can be asked who is at the other end
  std::size_t waiting_bytes = 0;
  bool is_writing = false;
  std::uint32_t ops = 0;
  std::uint64_t now_ns = 0;
};
[[nodiscard]] support::ConnectionRow report_row(const Connection& connection, const Shown& shown);

struct Report {
  std::uint32_t connections;
  std::span<const support::ConnectionRow> rows;
  const support::ServerCounters& server;
  const AcceptorCounters& acceptor;
  const std::string& protocol_counters;
  const loop::LoopCounters& loop;
  const std::string& protocol_details;
};
void print(const Report& report);

void print_stats(std::uint64_t elapsed_ns, std::uint32_t connections,
                 const support::ServerCounters& counters);

}  // namespace server
