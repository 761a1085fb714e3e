#pragma once
// What the tests of the reactor share: pairs of sockets, a clock that stands still until it is
// moved, and handlers whose bodies are written in the test.

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/unique_fd.hpp"
#include "docs/epoll_reference/reactor/reactor.hpp"

namespace epoll_reference {

// Two connected sockets that do not block.
struct SocketPair {
  base::UniqueFd ours;
  base::UniqueFd peer;

  SocketPair() {
    int fds[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    ours.reset(fds[0]);
    peer.reset(fds[1]);
  }
  // Makes our side readable.
  void poke() const { EXPECT_EQ(::write(peer.get(), "x", 1), 1); }
};

// A watched descriptor, an expiry, a task: whatever calls back, this counts it and runs the body.
struct Handler {
  std::function<void()> body = [] {};
  int calls = 0;
  std::uint32_t events = 0;  // of the last call
  Expiry expiry{};           // of the last call

  void on_io(std::uint32_t its_events) {
    events = its_events;
    run();
  }
  void on_timer(Expiry its_expiry) {
    expiry = its_expiry;
    run();
  }
  void run() {
    ++calls;
    body();
  }

  IoCallback io() { return IoCallback::to<&Handler::on_io>(*this); }
  TimerCallback timer() { return TimerCallback::to<&Handler::on_timer>(*this); }
  Callback<> task() { return Callback<>::to<&Handler::run>(*this); }
};

struct ManualClock {
  std::uint64_t now_ns = 1'000'000;

  std::uint64_t read() const { return now_ns; }
};

inline Reactor must_create(const Reactor::Options& options) {
  auto reactor = Reactor::create(options);
  EXPECT_TRUE(reactor.has_value());
  return std::move(*reactor);
}

class ReactorTest : public testing::Test {
 protected:
  Registration watch(int fd, std::uint32_t events, Handler& handler) {
    const auto added = reactor.add(fd, events, handler.io());
    EXPECT_TRUE(added.has_value());
    return added.value_or(Registration{});
  }
  std::uint64_t epoll_ctl_calls() const { return reactor.counters().epoll_ctl_calls; }
  // One turn that does not wait.
  void turn() { reactor.turn(0); }

  Reactor reactor = must_create({.registrations = 8, .timers = 8});
};

}  // namespace epoll_reference
