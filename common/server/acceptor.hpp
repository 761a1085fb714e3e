#pragma once
// Takes connections from the listener, as many as there is room for. One ACCEPT is in flight: where
// the kernel has it a multishot, which brings one connection after the other until it ends by itself
// (the CQ was full, there was no descriptor) or is cancelled; else one for each connection. Either
// is armed again from its own last completion, the one without IORING_CQE_F_MORE.
//
// It pauses when the limit is reached, and when the kernel refuses for lack of descriptors or
// memory (EMFILE, ENFILE, ENOBUFS, ENOMEM). Both are states, not errors to try again at once: the
// connection that was refused stays in the backlog, so an ACCEPT armed at once would complete at
// once with the same error, for ever. What keeps that from being a spin is that none is armed until
// a connection has closed. After a shortage it also tries again twice a second, since what was
// missing may come back in other ways: the limit is raised, another process ends.
//
// A multishot knows nothing of our limit. It takes all that waits in one go, and is cancelled when
// the limit is reached: what it has brought by then above the limit comes too early. These
// connections wait here as they would have waited in the backlog, and are opened in their order as
// places come free; ACCEPT is armed again when none of them is left. So there are at most as many as
// one ACCEPT brings before its cancel: what the backlog held and what connects in one turn, and no
// more than the CQ holds, as a full CQ ends a multishot.
//
// KERNEL: ACCEPT takes a number for the new descriptor before it looks for a connection. So with a
// full table it fails with -EMFILE even if nobody is waiting. A multishot has looked when it was
// armed, and fails when a connection comes. Which limit applies was settled when it was submitted.

#include <array>
#include <cstdint>
#include <deque>
#include <optional>

#include "common/loop/event_loop.hpp"
#include "common/net/listener.hpp"
#include "common/server/sockets.hpp"
#include "common/support/counters.hpp"
#include "common/support/server_counters.hpp"
#include "common/timers/timer_heap.hpp"

namespace server {

struct AcceptorCounters {
  std::uint64_t accepts = 0;         // ACCEPT requests armed
  std::uint64_t early_accepted = 0;  // connections that a multishot brought above the limit

  static constexpr auto list() {
    return std::to_array<support::Counter<AcceptorCounters>>(
        {{"accepts", &AcceptorCounters::accepts},
         {"early_accepted", &AcceptorCounters::early_accepted}});
  }
};

class Acceptor {
 public:
  // All must outlive it.
  Acceptor(loop::EventLoop& loop, support::ServerCounters& server_counters)
      : loop_(loop), server_counters_(server_counters) {}
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  // At most `limit` connections at a time; at least 1. Takes a slot for the listener and arms one
  // operation.
  void start(net::Listener listener, const Sockets& sockets, std::uint32_t limit);

  // The ACCEPT has completed, for the last time or not. A new socket, which the caller owns from now
  // on, that does not block and is closed by an exec; or nothing. Arms at most one operation, as the
  // next three.
  [[nodiscard]] std::optional<int> on_accept(std::int32_t res, bool is_last);

  // One of the accepted connections is no more: its descriptor has been closed, its slot is free.
  void connection_closed();

  // Once per turn, until it returns nothing: one of those that came early, for which there is a
  // place now.
  [[nodiscard]] std::optional<int> take_early();

  // kAcceptRetryTimer.
  void on_retry();

  // Cancels the ACCEPT and closes the listener; arms two operations. Who waits in the backlog is
  // reset; nobody connects any more. The same is due to those that came early: close_early() arms
  // one operation each time, and returns false when none is left.
  void stop();
  [[nodiscard]] bool close_early();

  // Whether this is the listener's slot.
  [[nodiscard]] bool owns(std::uint32_t slot) const { return slot == slot_; }
  // Without those that came early.
  [[nodiscard]] std::uint32_t connections() const { return connections_; }
  [[nodiscard]] const AcceptorCounters& counters() const { return counters_; }

 private:
  static constexpr std::uint64_t kRetryNs = 500'000'000;

  void arm_accept();
  uring::io_uring_sqe& arm_cancel();
  [[nodiscard]] std::optional<int> admit(int socket);
  void count_in();
  void on_error(std::int32_t res);
  void pause();
  void pause_for_a_while();
  void resume();

  loop::EventLoop& loop_;
  support::ServerCounters& server_counters_;
  AcceptorCounters counters_;
  net::Listener listener_;
  Sockets sockets_;
  std::uint32_t slot_ = loop::kMaxSlots;  // no slot at all
  std::uint32_t limit_ = 0;
  std::uint32_t connections_ = 0;
  std::deque<int> early_;
  bool armed_ = false;       // an ACCEPT is in flight
  bool cancelling_ = false;  // and a CANCEL for it
  bool paused_ = false;      // none is to be armed
  bool stopped_ = false;
  timers::TimerHandle retry_;
};

}  // namespace server
