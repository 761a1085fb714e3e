#pragma once
// A server on the ring: what the file server and the network server have in common. It accepts,
// watches over limits and silence, closes, reports and drains; what is spoken on a connection is
// the Protocol's. All of the network goes through the ring.
//
// A connection's life:
//   ACCEPT -> on_open() -> on_completion() ... -> close() -> CANCEL, CLOSE -> on_closed()
//
// What must hold:
// - Nothing is freed while the kernel may still write to it. close() cancels what is in flight and
//   closes the descriptor, but the slot and its memory are there until the last operation has
//   completed: then comes on_closed(), and only then the next connection can have the slot.
// - A connection has one timer, whatever there is to time. It fires at expires_at_ns() or before: a
//   message only notes when it came (active_ns), and a timer that fires too early for that is set
//   again for the rest. So the deadline is kept exactly and a message costs one store.
// - Running out of descriptors is a state to wait in, as the limit on connections is: there is no
//   ACCEPT armed, so nothing completes and nothing spins.
// - No clock is read for a message but the first of a turn: turn_ns().
//
// The protocol is a template parameter, as the application is for the loop: no virtual call, no
// std::function and no allocation on the way of a message. protocol.hpp says what it provides.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <random>
#include <string>

#include "common/base/check.hpp"
#include "common/base/errno.hpp"
#include "common/loop/event_loop.hpp"
#include "common/loop/op_id.hpp"
#include "common/server/acceptor.hpp"
#include "common/server/close_chain.hpp"
#include "common/server/connection.hpp"
#include "common/server/connection_chunks.hpp"
#include "common/server/connection_timer.hpp"
#include "common/server/linger.hpp"
#include "common/server/operations.hpp"
#include "common/server/protocol.hpp"
#include "common/server/report.hpp"
#include "common/server/sockets.hpp"
#include "common/server/start.hpp"
#include "common/server/turn_clock.hpp"
#include "common/support/server_counters.hpp"
#include "common/support/server_options.hpp"
#include "common/support/signal_source.hpp"
#include "common/uring/registered_files.hpp"
#include "common/uring/ring.hpp"

namespace server {

template <class P>
class Server {
 public:
  using Connection = typename P::Connection;

  // SIGTERM, SIGINT and SIGUSR1 are blocked from now on, so: before any other thread is started.
  // `ring` is as create_ring() makes it, in the thread that calls run(). All must outlive the
  // server.
  Server(uring::Ring& ring, P& protocol, const support::ServerOptions& options,
         const Sockets& sockets = {});
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Listens, prints the first line, and serves until it has drained. Returns the exit status: 0; 2
  // if it cannot start, 1 if the ring cannot be entered any more, both after a sentence on stderr
  // that begins with `program`. After 1 there may be operations in flight, which nothing ends any
  // more: the process must end (std::_Exit) before their memory goes.
  [[nodiscard]] int run(const char* program);

  // --- for protocols -----------------------------------------------------------------------------

  [[nodiscard]] Connection& connection(std::uint32_t slot) { return connections_.at(slot); }
  [[nodiscard]] const Connection& connection(std::uint32_t slot) const {
    return connections_.at(slot);
  }

  // Neither closing nor lingering. Not so, a completion is only there to give back what it carries.
  [[nodiscard]] bool is_open(std::uint32_t slot) const {
    const Connection& asked = connection(slot);
    return !asked.closing && !asked.lingering;
  }

  // An SQE for one more operation of this connection, with its user_data set. Its memory must live
  // until on_closed(). Not after close(): what is armed behind the cancel would not be cancelled.
  [[nodiscard]] uring::io_uring_sqe& arm(std::uint32_t slot, std::uint8_t kind,
                                         std::uint16_t aux = 0) {
    CHECK(!connection(slot).closing, "nothing is armed for a connection after its close()");
    return loop_.arm(slot, kind, aux);
  }

  // For every operation on Connection::fd, after the prep_*() that has filled it: then fd may be a
  // place in the ring's table of files. Not for those on other files.
  void use_socket(uring::io_uring_sqe& sqe) const { sockets_.use(sqe); }
  [[nodiscard]] const Sockets& sockets() const { return sockets_; }

  // CLOCK_MONOTONIC, read once per turn of the loop at most.
  [[nodiscard]] std::uint64_t turn_ns() { return clock_.now_ns(loop_.counters().turns); }

  // Changes with every batch of completions. Of two handlers that see the same number both
  // completions had been reaped before the first of them ran: what the first has learned about a
  // file from the kernel is later than both, and good for both.
  [[nodiscard]] std::uint64_t batch() const { return loop_.counters().completions; }

  // Bytes have moved: for the counters, and against the idle timeout.
  void note_received(std::uint32_t slot, std::size_t bytes) {
    Connection& active = connection(slot);
    active.received_bytes += bytes;
    counters_.received_bytes += bytes;
    active.active_ns = turn_ns();
  }
  void note_sent(std::uint32_t slot, std::size_t bytes) {
    Connection& active = connection(slot);
    active.sent_bytes += bytes;
    counters_.sent_bytes += bytes;
    active.active_ns = turn_ns();
  }

  // Back-pressure begins or ends, for the report and the counters. Not to arm a receive is the
  // protocol's.
  void stop_reading(std::uint32_t slot);
  void resume_reading(std::uint32_t slot) { connection(slot).reading_stopped = false; }

  // P::on_deadline() is called at this time of CLOCK_MONOTONIC; 0: not any more. Replaces the
  // deadline that was set before. Needs no cancelling by a close.
  void set_deadline(std::uint32_t slot, std::uint64_t deadline_ns);

  // Ends it now: cancels what is in flight on the socket and closes the descriptor, both through
  // the ring. May be called from any handler; a second close() does nothing. The memory is there
  // until on_closed(): operations on the socket end with -ECANCELED or with what they have done,
  // operations on files end as if nothing had been. Bytes that the client has sent and nobody has
  // received make this a reset, which throws away what the client has not received.
  void close(std::uint32_t slot, CloseReason reason);

  // Ends it without that loss, when all has been sent but the client may be sending still: our side
  // is shut down (FIN), what comes is received and thrown away, and the connection is closed when
  // the client has closed its side, or has received all and been silent for a moment, or after two
  // seconds at the latest. No P::on_deadline() or on_drain() any more; a receive that was armed
  // before goes on until the close, and completes to the protocol, which calls note_received() and
  // does nothing else.
  void finish(std::uint32_t slot);

  [[nodiscard]] std::uint32_t connections() const { return acceptor_.connections(); }

  // After SIGTERM or SIGINT: what is under way is the last on its connection.
  [[nodiscard]] bool draining() const { return draining_; }

  [[nodiscard]] loop::EventLoop& loop() { return loop_; }
  [[nodiscard]] uring::Ring& ring() { return loop_.ring(); }
  [[nodiscard]] const support::ServerOptions& options() const { return options_; }
  [[nodiscard]] support::ServerCounters& counters() { return counters_; }

  // --- for the loop: see event_loop.hpp ----------------------------------------------------------

  // What a handler of the protocol arms, then what a finish() does and a close(). A freed slot arms
  // the ACCEPT again, in a call in which close() has nothing to arm.
  static constexpr std::uint32_t kMaxSqesPerHandler = P::kMaxSqesPerHandler + 2 + kMostSqesOfClose;

  void on_completion(loop::OpId id, const uring::io_uring_cqe& cqe);
  void on_stale(loop::OpId id, const uring::io_uring_cqe& cqe);
  void on_slot_free(std::uint32_t slot);
  void on_timer(std::uint64_t payload, std::uint64_t deadline_ns);
  void on_signal(int signal);
  void before_wait() {
    if (open_early()) {
      protocol_.before_wait();
    }
  }
  [[nodiscard]] bool finished() const { return draining_ && slots_.in_use() == 0; }

 private:
  // An error is a sentence.
  [[nodiscard]] std::expected<void, std::string> start(const char* program);

  // How connections are taken, and how many at a time, as the limit on open files allows.
  struct Room {
    Sockets sockets;
    std::uint32_t connections = 0;
  };
  [[nodiscard]] std::expected<Room, std::string> make_places(const char* program, int listener);

  void on_own_completion(loop::OpId id, const uring::io_uring_cqe& cqe);
  // Those that came before there was a place. False if the ring cannot be entered any more.
  [[nodiscard]] bool open_early();
  void open(int fd);
  void on_connection_timer(std::uint32_t slot);
  void expire(std::uint32_t slot);
  void follow(std::uint32_t slot, Linger::Verdict verdict);

  void begin_drain();
  void end_drain();
  // f(slot) for each connection; a closing one is one, too.
  template <class F>
  void for_each_connection(F f);
  // Room in the SQ for one more handler, where one call does the work of many. False if the ring
  // cannot be entered any more: the loop will meet the same error, and says so.
  [[nodiscard]] bool has_room() { return loop_.make_room(kMaxSqesPerHandler).has_value(); }
  // What is printed goes to stdout at once, and waits for whoever reads that.
  void set_stats_timer(std::uint64_t deadline_ns);
  void on_stats(std::uint64_t deadline_ns);
  void print_report();

  P& protocol_;
  const support::ServerOptions options_;
  const Sockets sockets_;
  support::ServerCounters counters_;
  base::Result<support::SignalSource> signals_;
  loop::EventLoop loop_;
  const loop::SlotPool& slots_;
  TurnClock clock_;
  ConnectionChunks<Connection> connections_;
  std::optional<uring::RegisteredFiles> table_;  // of direct sockets
  Acceptor acceptor_;
  Linger linger_;
  bool draining_ = false;
  std::uint64_t started_ns_ = 0;
  std::minstd_rand random_;  // for the jitter
};

}  // namespace server

#include "common/server/server_definitions.hpp"
#include "common/server/server_signals.hpp"
