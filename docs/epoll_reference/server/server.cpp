#include "docs/epoll_reference/server/server.hpp"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <utility>

#include "common/base/check.hpp"
#include "common/net/address.hpp"
#include "common/net/listener.hpp"
#include "common/net/socket.hpp"
#include "common/support/counters.hpp"
#include "common/support/file_limit.hpp"
#include "docs/epoll_reference/server/report.hpp"

namespace epoll_reference {
namespace {

std::uint64_t in_ns(std::chrono::nanoseconds time) {
  return static_cast<std::uint64_t>(time.count());
}

}  // namespace

Reactor::Options reactor_options(const support::ServerOptions& options) {
  // The listener, the signals, and the timers of drain, statistics and accepting; what the protocol
  // adds; and connections that are accepted in the turn in which others close.
  constexpr std::uint32_t kSpare = 128;
  return {.registrations = options.max_connections + kSpare,
          .timers = options.max_connections + kSpare};
}

Server::Server(Reactor& reactor, Protocol& protocol, const support::ServerOptions& options)
    : reactor_(reactor),
      protocol_(protocol),
      options_(options),
      acceptor_(reactor, counters_, Callback<int>::to<&Server::on_accepted>(*this)),
      signals_(reactor, Callback<int>::to<&Server::on_signal>(*this)),
      random_(std::random_device()()) {}

int Server::run(const char* program) {
  const auto problem = start(program);
  if (!problem) {
    std::fprintf(stderr, "%s: %s\n", program, problem.error().c_str());
    return 2;
  }
  reactor_.run();
  return 0;
}

std::expected<void, std::string> Server::start(const char* program) {
  auto listener = net::listen(options_.bind, options_.port);
  if (!listener) {
    return std::unexpected(listener.error());
  }
  const net::Address bound = listener->address;
  if (const auto started = signals_.start({SIGTERM, SIGINT, SIGUSR1}); !started) {
    return std::unexpected(std::string("cannot receive signals: ") + started.error().message());
  }
  const std::uint32_t limit = support::connection_limit(
      program, options_.max_connections, protocol_.spare_descriptors(), listener->fd.get());
  const bool edge_triggered = (protocol_.first_interest() & EPOLLET) != 0;
  if (const auto started = acceptor_.start(std::move(*listener), limit, edge_triggered); !started) {
    return std::unexpected(std::string("cannot watch the listener: ") + started.error().message());
  }
  started_ns_ = reactor_.now_ns();
  if (options_.stats_interval.count() > 0) {
    const auto timer =
        reactor_.every(in_ns(options_.stats_interval), TimerCallback::to<&Server::on_stats>(*this));
    CHECK(timer, "the reactor has room for the server's own timers");
  }
  std::printf("listening on %s\n", bound.to_string().c_str());
  std::fflush(stdout);
  return {};
}

// --- the life of a connection -------------------------------------------------------------------

void Server::on_accepted(int fd) {
  Connection& connection = protocol_.make();
  connection.server = this;
  connection.fd = fd;
  connection.opened_ns = connection.active_ns = reactor_.turn_ns();
  connection.idle_timeout_ns = in_ns(options_.idle_timeout);
  if (const std::uint64_t jitter_ns = in_ns(options_.idle_timeout_jitter);
      connection.idle_timeout_ns > 0 && jitter_ns > 0) {
    connection.idle_timeout_ns +=
        std::uniform_int_distribution<std::uint64_t>(0, jitter_ns)(random_);
  }
  link(connection);
  const auto registration =
      reactor_.add(fd, protocol_.first_interest(), IoCallback::to<&Server::on_io>(connection));
  CHECK(registration, "the table of registrations has room for all that the acceptor lets in");
  connection.registration = *registration;
  set_timer(connection);
  protocol_.on_open(connection);
}

void Server::link(Connection& connection) {
  connection.previous = last_;
  connection.next = nullptr;
  (last_ == nullptr ? first_ : last_->next) = &connection;
  last_ = &connection;
}

void Server::unlink(Connection& connection) {
  (connection.previous == nullptr ? first_ : connection.previous->next) = connection.next;
  (connection.next == nullptr ? last_ : connection.next->previous) = connection.previous;
}

void Server::on_io(Connection& connection, std::uint32_t events) {
  Server& server = *connection.server;
  if (connection.lingering) [[unlikely]] {
    server.discard_input(connection);
  } else if (events == kNotWatched) [[unlikely]] {
    server.close(connection,
                 CloseReason::Error);  // no memory in the kernel, or its limit on watches
  } else {
    server.protocol_.on_events(connection, events);
  }
}

// [snippet: close]
void Server::close(Connection& connection, CloseReason reason) {
  if (connection.closed) {
    return;
  }
  connection.closed = true;
  unlink(connection);
  // In this order: from close() on the number may be that of the next connection.
  reactor_.remove_for_close(connection.registration);
  reactor_.cancel(connection.timer);
  ::close(connection.fd);
  // We may be in a callback of this very connection, and tasks may wait that name it; they all come
  // before this one.
  reactor_.defer(Callback<>::to<&Server::recycle>(connection));

  ++counters_.closed;
  counters_.closed_reset += reason == CloseReason::Error ? 1 : 0;
  counters_.closed_idle += reason == CloseReason::Idle ? 1 : 0;
  counters_.closed_drain += reason == CloseReason::Drain ? 1 : 0;
  acceptor_.connection_closed();
  if (draining_ && first_ == nullptr) {
    reactor_.stop();
  }
}

void Server::recycle(Connection& connection) {
  connection.server->protocol_.recycle(connection);
}
// [/snippet]

void Server::stop_reading(Connection& connection) {
  if (!connection.reading_stopped) {
    connection.reading_stopped = true;
    ++counters_.reading_stops;
  }
}

// --- time ---------------------------------------------------------------------------------------

void Server::set_deadline(Connection& connection, std::uint64_t deadline_ns) {
  connection.deadline_ns = deadline_ns;
  if (deadline_ns != 0 && !connection.closed) {
    set_timer(connection);
  }
}

// [snippet: idle_timer]
// Sees to it that the timer fires at expires_at_ns() or before.
void Server::set_timer(Connection& connection) {
  const std::uint64_t expires_at_ns = connection.expires_at_ns();
  if (expires_at_ns == 0 || (connection.timer_ns != 0 && connection.timer_ns <= expires_at_ns)) {
    return;
  }
  if (connection.timer_ns != 0) {
    reactor_.update(connection.timer, expires_at_ns);
  } else {
    const auto timer = reactor_.at(expires_at_ns, TimerCallback::to<&Server::on_timer>(connection));
    CHECK(timer, "the table of timers has room for one for each connection");
    connection.timer = *timer;
  }
  connection.timer_ns = expires_at_ns;
}

void Server::on_timer(Connection& connection, Expiry /*expiry*/) {
  Server& server = *connection.server;
  connection.timer_ns = 0;
  const std::uint64_t expires_at_ns = connection.expires_at_ns();
  if (expires_at_ns != 0 && expires_at_ns <= server.reactor_.turn_ns()) {
    server.expire(connection);
  }
  if (!connection.closed) {
    server.set_timer(connection);  // something has moved since: for the rest
  }
}
// [/snippet]

void Server::expire(Connection& connection) {
  const bool is_deadline =
      connection.deadline_ns != 0 && connection.deadline_ns <= reactor_.turn_ns();
  if (!is_deadline) {
    return close(connection, CloseReason::Idle);
  }
  connection.deadline_ns = 0;
  if (connection.lingering) {
    check_linger(connection);
  } else {
    protocol_.on_deadline(connection);
  }
}

// --- the end of a connection --------------------------------------------------------------------

// Nothing came or went for a moment, and what we have sent has arrived.
bool Server::is_quiet(const Connection& connection) const {
  return reactor_.turn_ns() - connection.active_ns >= kLingerNs &&
         net::unacknowledged_bytes(connection.fd).value_or(0) == 0;
}

void Server::finish(Connection& connection) {
  if (connection.closed || connection.lingering) {
    return;
  }
  CHECK(!connection.out.waiting(), "all has been given to the socket");
  if (is_quiet(connection)) {
    return close(connection, CloseReason::Done);
  }
  if (!net::shutdown_sending(connection.fd)) {
    return close(connection, CloseReason::Error);
  }
  connection.lingering = true;
  connection.linger_checks = 0;
  watch(connection, EPOLLIN);
  set_deadline(connection, reactor_.turn_ns() + kLingerNs);
}

// At most a buffer full for an event, so that a client that never stops sending starves nobody.
void Server::discard_input(Connection& connection) {
  std::array<std::byte, 16 << 10> discarded;
  const ssize_t count = ::recv(connection.fd, discarded.data(), discarded.size(), 0);
  if (count > 0) {
    note_received(connection, static_cast<std::size_t>(count));
  } else if (count == 0) {
    close(connection, CloseReason::Done);
  } else if (const int error = base::last_error().value; error != EAGAIN && error != EINTR) {
    close(connection, CloseReason::Error);
  }
}

void Server::check_linger(Connection& connection) {
  // Our FIN is one of the bytes that must have arrived.
  if (++connection.linger_checks == kLingerChecks || is_quiet(connection)) {
    return close(connection, CloseReason::Done);
  }
  set_deadline(connection, reactor_.turn_ns() + kLingerNs);
}

// --- signals, the drain, the report -------------------------------------------------------------

void Server::on_signal(int signal) {
  if (signal == SIGUSR1) {
    print_report();
  } else if (!draining_) {
    begin_drain();
  } else {
    end_drain();
  }
}

void Server::begin_drain() {
  draining_ = true;
  acceptor_.stop();
  for (Connection* connection = first_; connection != nullptr;) {
    Connection* const next = connection->next;  // on_drain() may close this one
    if (!connection->lingering) {
      protocol_.on_drain(*connection);
    }
    connection = next;
  }
  if (first_ == nullptr) {
    return reactor_.stop();
  }
  const auto timer = reactor_.after(in_ns(options_.drain_timeout),
                                    TimerCallback::to<&Server::on_drain_timeout>(*this));
  CHECK(timer, "the reactor has room for the server's own timers");
}

void Server::on_drain_timeout(Expiry /*expiry*/) {
  end_drain();
}

void Server::end_drain() {
  while (first_ != nullptr) {
    close(*first_, CloseReason::Drain);
  }
}

void Server::on_stats(Expiry /*expiry*/) {
  constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
  const std::uint64_t elapsed_ns = reactor_.now_ns() - started_ns_;
  std::printf("stats %" PRIu64 ".%09" PRIu64 " connections %" PRIu32 " accepted %" PRIu64
              " received %" PRIu64 " sent %" PRIu64 "\n",
              elapsed_ns / kNsPerSecond, elapsed_ns % kNsPerSecond, acceptor_.connections(),
              counters_.accepted, counters_.received_bytes, counters_.sent_bytes);
  std::fflush(stdout);
}

void Server::print_report() const {
  std::string report = "--- report\nconnections " + std::to_string(acceptor_.connections()) + '\n';
  report += connection_table(first_, protocol_, reactor_.now_ns());
  report += support::counters_as_text(counters_);
  report += protocol_.counters_text();
  report += support::counters_as_text(reactor_.counters());
  report += "--- end of report\n";
  std::fputs(report.c_str(), stdout);
  std::fflush(stdout);
}

}  // namespace epoll_reference
