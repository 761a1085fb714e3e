#pragma once
// The functions of Server about signals: the drain and the report. Included by server.hpp.

#include <signal.h>

#include <utility>
#include <vector>

#include "common/server/server.hpp"
#include "common/support/cpu_clock.hpp"

namespace server {

template <class P>
template <class F>
void Server<P>::for_each_connection(F f) {
  for (std::uint32_t slot = 0; slot < slots_.capacity(); ++slot) {
    const bool is_used = slots_.is_open(slot) || slots_.ops_in_flight(slot) > 0;
    if (is_used && !acceptor_.owns(slot)) {
      f(slot);
    }
  }
}

template <class P>
void Server<P>::on_signal(int signal) {
  if (signal == SIGUSR1) {
    print_report();
  } else if (!draining_) {
    begin_drain();
  } else {
    end_drain();
  }
}

template <class P>
void Server<P>::begin_drain() {
  draining_ = true;
  acceptor_.stop();
  while (has_room() && acceptor_.close_early()) {
  }
  const auto timer =
      loop_.timers().add(support::now_ns() + in_ns(options_.drain_timeout), kDrainTimer);
  CHECK(timer, "the heap of timers has room for the server's own");
  for_each_connection([this](std::uint32_t slot) {
    if (is_open(slot) && has_room()) {
      protocol_.on_drain(slot);
    }
  });
}

template <class P>
void Server<P>::end_drain() {
  for_each_connection([this](std::uint32_t slot) {
    if (has_room()) {
      close(slot, CloseReason::Drain);
    }
  });
}

template <class P>
void Server<P>::set_stats_timer(std::uint64_t deadline_ns) {
  const auto timer = loop_.timers().add(deadline_ns, kStatsTimer);
  CHECK(timer, "the heap of timers has room for the server's own");
}

template <class P>
void Server<P>::on_stats(std::uint64_t deadline_ns) {
  const std::uint64_t now_ns = support::now_ns();
  print_stats(now_ns - started_ns_, acceptor_.connections(), counters_);
  set_stats_timer(
      timers::next_repeat(deadline_ns, in_ns(options_.stats_interval), now_ns).next_deadline_ns);
}

template <class P>
void Server<P>::print_report() {
  std::vector<support::ConnectionRow> rows;
  for_each_connection([&](std::uint32_t slot) {
    const Connection& row = connection(slot);
    rows.push_back(report_row(row, {.direct = sockets_.direct,
                                    .waiting_bytes = std::as_const(protocol_).waiting_bytes(row),
                                    .is_writing = std::as_const(protocol_).is_writing(row),
                                    .ops = slots_.ops_in_flight(slot),
                                    .now_ns = support::now_ns()}));
  });
  print({.connections = acceptor_.connections(),
         .rows = rows,
         .server = counters_,
         .acceptor = acceptor_.counters(),
         .protocol_counters = protocol_.report_counters(),
         .loop = loop_.counters(),
         .protocol_details = protocol_.report_details()});
}

}  // namespace server
