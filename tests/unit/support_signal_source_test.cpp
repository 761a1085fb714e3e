#include <signal.h>

#include <optional>

#include <gtest/gtest.h>

#include "common/support/signal_source.hpp"

namespace {

using support::SignalSource;

bool is_blocked(int signal) {
  sigset_t mask;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  return ::sigismember(&mask, signal) == 1;
}

TEST(SignalSource, BlocksItsSignalsAndRestoresTheMask) {
  ASSERT_FALSE(is_blocked(SIGUSR1));
  {
    const auto signals = SignalSource::create({SIGUSR1, SIGUSR2});
    ASSERT_TRUE(signals.has_value());
    EXPECT_TRUE(is_blocked(SIGUSR1));
    EXPECT_TRUE(is_blocked(SIGUSR2));
    EXPECT_FALSE(is_blocked(SIGHUP));
  }
  EXPECT_FALSE(is_blocked(SIGUSR1));
  EXPECT_FALSE(is_blocked(SIGUSR2));
}

TEST(SignalSource, HandsOutEachSignalThatArrived) {
  const auto signals = SignalSource::create({SIGUSR1, SIGUSR2});
  ASSERT_TRUE(signals.has_value());
  EXPECT_EQ(signals->next(), std::nullopt);
  ASSERT_EQ(::raise(SIGUSR2), 0);
  EXPECT_EQ(signals->next(), SIGUSR2);
  EXPECT_EQ(signals->next(), std::nullopt);
}

}  // namespace
