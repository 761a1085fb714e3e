#pragma once
// A server on the reactor: what echo and HTTP have in common. It accepts, watches over limits and
// silence, closes, reports and drains; what is spoken on a connection is the Protocol's.
//
// A connection's life:
//   Acceptor -> make() -> on_open() -> on_events() ... -> close() -> recycle()
//
// What must hold:
// - Nothing is freed inside its own callback. close() ends the registration and the timer and
//   closes the descriptor at once, but the memory goes back in a deferred task, when no callback
//   runs. So after a close() a protocol returns soon, and until then its reference is good.
// - A connection has one timer, whatever there is to time. It fires at expires_at_ns() or before:
//   a message only notes when it came (active_ns), and a timer that fires too early for that is
//   set again for the rest. So the deadline is kept exactly, a message costs one store, and there
//   is one timer operation for each idle timeout that passes.
// - A message on a quiet connection costs epoll_wait, recv and send. No clock is read for it: the
//   time is that of the turn (Reactor::turn_ns()).

#include <cstddef>
#include <cstdint>
#include <expected>
#include <random>
#include <string>

#include "common/support/server_counters.hpp"
#include "common/support/server_options.hpp"
#include "docs/epoll_reference/reactor/reactor.hpp"
#include "docs/epoll_reference/reactor/signal_receiver.hpp"
#include "docs/epoll_reference/server/acceptor.hpp"
#include "docs/epoll_reference/server/connection.hpp"
#include "docs/epoll_reference/server/protocol.hpp"

namespace epoll_reference {

enum class CloseReason : std::uint8_t {
  Done,   // both sides are through
  Error,  // of the socket: the peer has reset it, as a rule
  Idle,   // silent for the idle timeout, or a deadline of the protocol
  Drain,  // the server stops, and could not wait any longer
};

// What the reactor of such a server must have room for.
[[nodiscard]] Reactor::Options reactor_options(const support::ServerOptions& options);

class Server {
 public:
  // All must outlive the server.
  Server(Reactor& reactor, Protocol& protocol, const support::ServerOptions& options);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Listens, prints the first line, and serves until it has drained. Returns the exit status: 0; or
  // 2 if it cannot start, after a sentence on stderr that begins with `program`.
  [[nodiscard]] int run(const char* program);

  // --- for protocols -----------------------------------------------------------------------------

  // Bytes have moved: for the counters, and against the idle timeout.
  void note_received(Connection& connection, std::size_t bytes) {
    connection.received_bytes += bytes;
    counters_.received_bytes += bytes;
    connection.active_ns = reactor_.turn_ns();
  }
  void note_sent(Connection& connection, std::size_t bytes) {
    connection.sent_bytes += bytes;
    counters_.sent_bytes += bytes;
    connection.active_ns = reactor_.turn_ns();
  }

  // Wants exactly these events from now on. The same ones again cost nothing.
  void watch(Connection& connection, std::uint32_t events) {
    reactor_.modify(connection.registration, events);
  }

  // Back-pressure begins or ends, for the report and the counters. EPOLLIN is the protocol's to
  // watch.
  void stop_reading(Connection& connection);
  void resume_reading(Connection& connection) { connection.reading_stopped = false; }

  // Protocol::on_deadline() is called at this time of CLOCK_MONOTONIC; 0: not any more. Replaces
  // the deadline that was set before. Needs no cancelling by a close.
  void set_deadline(Connection& connection, std::uint64_t deadline_ns);

  // Ends it now, as described above. A second close() of it does nothing. Bytes that the client has
  // sent and nobody has read make this a reset, which throws away what the client has not received.
  void close(Connection& connection, CloseReason reason);

  // Ends it without that loss, when all has been given to the socket but the client may be sending
  // still: our side is shut down (FIN), what comes is read and thrown away, and the connection is
  // closed when the client has closed its side, or has received all and been silent for a moment,
  // or after two seconds at the latest. The protocol is not called for it any more.
  void finish(Connection& connection);

  // After SIGTERM or SIGINT: what is under way is the last on its connection.
  [[nodiscard]] bool draining() const { return draining_; }

  [[nodiscard]] Reactor& reactor() { return reactor_; }
  [[nodiscard]] const support::ServerOptions& options() const { return options_; }

 private:
  // Of finish(): how long a silence is, and how many of them are the longest time.
  static constexpr std::uint64_t kLingerNs = 200'000'000;
  static constexpr std::uint8_t kLingerChecks = 10;

  // An error is a sentence.
  [[nodiscard]] std::expected<void, std::string> start(const char* program);

  void on_accepted(int fd);
  void link(Connection& connection);
  void unlink(Connection& connection);
  // These are bound to a connection, and find the server through it.
  static void on_io(Connection& connection, std::uint32_t events);
  static void on_timer(Connection& connection, Expiry expiry);
  static void recycle(Connection& connection);

  void set_timer(Connection& connection);
  void expire(Connection& connection);
  void discard_input(Connection& connection);
  void check_linger(Connection& connection);
  [[nodiscard]] bool is_quiet(const Connection& connection) const;

  // What is printed goes to stdout at once, and waits for whoever reads that.
  void on_signal(int signal);
  void begin_drain();
  void end_drain();
  void on_drain_timeout(Expiry expiry);
  void on_stats(Expiry expiry);
  void print_report() const;

  Reactor& reactor_;
  Protocol& protocol_;
  const support::ServerOptions options_;
  support::ServerCounters counters_;
  Acceptor acceptor_;
  SignalReceiver signals_;
  Connection* first_ = nullptr;
  Connection* last_ = nullptr;
  std::uint64_t started_ns_ = 0;
  bool draining_ = false;
  std::minstd_rand random_;  // for the jitter
};

}  // namespace epoll_reference
