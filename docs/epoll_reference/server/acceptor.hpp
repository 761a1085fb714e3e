#pragma once
// Takes connections from the listener, as many as there is room for.
//
// Level-triggered, it takes up to kAcceptsPerTurn for an event; if more are waiting, the next turn
// has the next event. Edge-triggered, no event would come for those that are left, so it goes on by
// itself in a deferred task until there are none.
//
// It pauses when the limit is reached, and when the kernel refuses for lack of descriptors or
// memory (EMFILE, ENFILE, ENOBUFS, ENOMEM). The connection that was refused stays in the backlog,
// so the listener stays readable: what keeps that from being a spin is that EPOLLIN is not asked
// for until a connection has closed. After a shortage it also tries again twice a second, since what
// was missing may come back in other ways: the limit is raised, another process ends.

#include <cstdint>

#include "common/base/errno.hpp"
#include "common/net/listener.hpp"
#include "common/support/server_counters.hpp"
#include "docs/epoll_reference/reactor/reactor.hpp"

namespace epoll_reference {

class Acceptor {
 public:
  // `on_accepted` gets a descriptor that does not block and is closed by an exec, and owns it. It
  // may give it back at once by connection_closed(). All must outlive the acceptor.
  Acceptor(Reactor& reactor, support::ServerCounters& counters, Callback<int> on_accepted)
      : reactor_(reactor), counters_(counters), on_accepted_(on_accepted) {}
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;
  ~Acceptor() { stop(); }

  // At most `limit` connections at a time; at least 1. What Reactor::add() returns.
  [[nodiscard]] base::Result<void> start(net::Listener listener, std::uint32_t limit,
                                         bool edge_triggered);

  // One of the accepted connections is no more: its descriptor has been closed.
  void connection_closed();

  // Closes the listener. Who waits in the backlog is reset; nobody connects any more.
  void stop();

  [[nodiscard]] std::uint32_t connections() const { return connections_; }

 private:
  static constexpr std::uint32_t kAcceptsPerTurn = 64;
  static constexpr std::uint64_t kRetryNs = 500'000'000;

  void on_readable(std::uint32_t events);
  void accept_some();
  void pause();
  void pause_for_a_while();
  void resume();
  void on_retry(Expiry expiry);

  Reactor& reactor_;
  support::ServerCounters& counters_;
  Callback<int> on_accepted_;
  net::Listener listener_;
  std::uint32_t interest_ = 0;
  std::uint32_t limit_ = 0;
  std::uint32_t connections_ = 0;
  bool paused_ = false;
  bool scheduled_ = false;
  Registration registration_;
  TimerHandle retry_;
};

}  // namespace epoll_reference
