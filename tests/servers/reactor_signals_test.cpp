#include <signal.h>

#include "docs/epoll_reference/reactor/signal_receiver.hpp"
#include "tests/servers/reactor_fixture.hpp"

namespace epoll_reference {
namespace {

struct Received {
  std::vector<int> signals;
  void on_signal(int signal) { signals.push_back(signal); }
};

bool is_blocked(int signal) {
  sigset_t mask;
  EXPECT_EQ(::pthread_sigmask(SIG_BLOCK, nullptr, &mask), 0);
  return ::sigismember(&mask, signal) == 1;
}

TEST_F(ReactorTest, SignalsComeAsEvents) {
  Received received;
  SignalReceiver receiver(reactor, Callback<int>::to<&Received::on_signal>(received));
  ASSERT_TRUE(receiver.start({SIGUSR1, SIGTERM}).has_value());
  ASSERT_EQ(::raise(SIGTERM), 0);
  ASSERT_EQ(::raise(SIGUSR1), 0);
  EXPECT_TRUE(received.signals.empty());
  turn();
  turn();
  ASSERT_EQ(received.signals.size(), 2u);
  turn();
  EXPECT_EQ(received.signals.size(), 2u);
  EXPECT_NE(received.signals[0], received.signals[1]);
}

TEST_F(ReactorTest, TheMaskOfSignalsIsRestored) {
  ASSERT_FALSE(is_blocked(SIGUSR2));
  {
    Received received;
    SignalReceiver receiver(reactor, Callback<int>::to<&Received::on_signal>(received));
    EXPECT_FALSE(is_blocked(SIGUSR2));
    ASSERT_TRUE(receiver.start({SIGUSR2}).has_value());
    EXPECT_TRUE(is_blocked(SIGUSR2));
  }
  EXPECT_FALSE(is_blocked(SIGUSR2));
  EXPECT_EQ(reactor.registrations(), 0u);
}

}  // namespace
}  // namespace epoll_reference
