#pragma once
// Takes connections from the listener, as many as there is room for: one ACCEPT is in flight, and
// armed again from its completion.
//
// It pauses when the limit is reached, and when the kernel refuses for lack of descriptors or
// memory (EMFILE, ENFILE, ENOBUFS, ENOMEM). Both are states, not errors to try again at once: the
// connection that was refused stays in the backlog, so an ACCEPT armed at once would complete at
// once with the same error, for ever. What keeps that from being a spin is that none is armed until
// a connection has closed. After a shortage it also tries again twice a second, since what was
// missing may come back in other ways: the limit is raised, another process ends.
//
// KERNEL: ACCEPT takes a number for the new descriptor before it looks for a connection. So with a
// full table it fails with -EMFILE even if nobody is waiting.

#include <cstdint>
#include <optional>

#include "common/loop/event_loop.hpp"
#include "common/net/listener.hpp"
#include "common/support/server_counters.hpp"
#include "common/timers/timer_heap.hpp"

namespace server {

class Acceptor {
 public:
  // Both must outlive it.
  Acceptor(loop::EventLoop& loop, support::ServerCounters& counters)
      : loop_(loop), counters_(counters) {}
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  // At most `limit` connections at a time; at least 1. Takes a slot for the listener and arms one
  // operation.
  void start(net::Listener listener, std::uint32_t limit);

  // The ACCEPT has completed. A new descriptor, which the caller owns from now on, of a socket that
  // does not block and is closed by an exec; or nothing. Arms at most one operation, as the next
  // two.
  [[nodiscard]] std::optional<int> on_accept(std::int32_t res);

  // One of the accepted connections is no more: its descriptor has been closed, its slot is free.
  void connection_closed();

  // kAcceptRetryTimer.
  void on_retry();

  // Cancels the ACCEPT and closes the listener; arms two operations. Who waits in the backlog is
  // reset; nobody connects any more.
  void stop();

  // Whether this is the listener's slot.
  [[nodiscard]] bool owns(std::uint32_t slot) const { return slot == slot_; }
  [[nodiscard]] std::uint32_t connections() const { return connections_; }

 private:
  static constexpr std::uint64_t kRetryNs = 500'000'000;

  void arm_accept();
  void arm_unless_full();
  void pause();
  void pause_for_a_while();
  void resume();

  loop::EventLoop& loop_;
  support::ServerCounters& counters_;
  net::Listener listener_;
  std::uint32_t slot_ = loop::kMaxSlots;  // no slot at all
  std::uint32_t limit_ = 0;
  std::uint32_t connections_ = 0;
  bool paused_ = false;
  bool stopped_ = false;
  timers::TimerHandle retry_;
};

}  // namespace server
