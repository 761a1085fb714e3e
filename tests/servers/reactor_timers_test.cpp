// Timers against a clock that the test moves.

#include <algorithm>
#include <random>

#include "tests/servers/reactor_fixture.hpp"

namespace epoll_reference {
namespace {

class ReactorTimersTest : public testing::Test {
 protected:
  TimerHandle must(std::optional<TimerHandle> timer) {
    EXPECT_TRUE(timer.has_value());
    return timer.value_or(TimerHandle{});
  }
  // One turn at this time.
  void turn_at(std::uint64_t now_ns) {
    clock.now_ns = now_ns;
    reactor.turn(0);
  }

  static constexpr std::uint64_t kStart_ns = 1000;
  ManualClock clock{.now_ns = kStart_ns};
  Reactor reactor = must_create(
      {.registrations = 8, .timers = 1000, .clock = Clock::to<&ManualClock::read>(clock)});
};

TEST_F(ReactorTimersTest, FiresAtItsDeadlineOnceAndNotBefore) {
  Handler timer;
  must(reactor.after(100, timer.timer()));
  turn_at(kStart_ns + 99);
  EXPECT_EQ(timer.calls, 0);
  turn_at(kStart_ns + 100);
  EXPECT_EQ(timer.calls, 1);
  EXPECT_EQ(timer.expiry.deadline_ns, kStart_ns + 100);
  EXPECT_EQ(timer.expiry.expirations, 1u);
  turn_at(kStart_ns + 1000);
  EXPECT_EQ(timer.calls, 1);
  EXPECT_EQ(reactor.timers(), 0u);
  EXPECT_EQ(reactor.counters().timers_expired, 1u);
}

TEST_F(ReactorTimersTest, AThousandInRandomOrderFireInOrder) {
  struct Fired {
    std::vector<std::uint64_t> deadlines;
    void on_timer(Expiry expiry) { deadlines.push_back(expiry.deadline_ns); }
  } fired;
  std::mt19937 random(1);
  for (int i = 0; i < 1000; ++i) {
    must(reactor.at(kStart_ns + random() % 500, TimerCallback::to<&Fired::on_timer>(fired)));
  }
  for (std::uint64_t now_ns = kStart_ns; now_ns < kStart_ns + 500; now_ns += 7) {
    turn_at(now_ns);
    ASSERT_TRUE(fired.deadlines.empty() || fired.deadlines.back() <= now_ns);
  }
  turn_at(kStart_ns + 500);
  EXPECT_EQ(fired.deadlines.size(), 1000u);
  EXPECT_TRUE(std::is_sorted(fired.deadlines.begin(), fired.deadlines.end()));
}

// The clock runs on during a callback: the timer was due before it was cancelled, in this very
// turn.
TEST_F(ReactorTimersTest, CancelledInAnIoCallbackItDoesNotFire) {
  const SocketPair pair;
  Handler timer;
  const TimerHandle handle = must(reactor.after(100, timer.timer()));
  Handler io{.body = [&] {
    clock.now_ns = kStart_ns + 200;
    EXPECT_TRUE(reactor.cancel(handle));
    EXPECT_FALSE(reactor.cancel(handle));
  }};
  ASSERT_TRUE(reactor.add(pair.ours.get(), EPOLLIN | EPOLLET, io.io()).has_value());
  pair.poke();
  turn_at(kStart_ns + 99);
  ASSERT_EQ(io.calls, 1);
  turn_at(kStart_ns + 300);
  EXPECT_EQ(timer.calls, 0);
}

TEST_F(ReactorTimersTest, CancelledByAnotherTimerOfTheSameTurnItDoesNotFire) {
  Handler victim;
  Handler next;
  TimerHandle handle;
  Handler cancels{.body = [&] {
    EXPECT_TRUE(reactor.cancel(handle));
    must(reactor.after(0, next.timer()));  // takes the place of the cancelled one
  }};
  must(reactor.after(10, cancels.timer()));
  handle = must(reactor.after(20, victim.timer()));
  turn_at(kStart_ns + 100);
  EXPECT_EQ(cancels.calls, 1);
  EXPECT_EQ(victim.calls, 0);
  EXPECT_EQ(next.calls, 0);
  EXPECT_EQ(reactor.counters().timers_expired, 1u);
  turn_at(kStart_ns + 100);
  EXPECT_EQ(next.calls, 1);
}

TEST_F(ReactorTimersTest, MovedByAnotherTimerOfTheSameTurnItFiresAtItsNewTime) {
  Handler victim;
  TimerHandle handle;
  Handler moves{.body = [&] { EXPECT_TRUE(reactor.update(handle, kStart_ns + 500)); }};
  must(reactor.after(10, moves.timer()));
  handle = must(reactor.after(20, victim.timer()));
  turn_at(kStart_ns + 100);
  turn_at(kStart_ns + 499);
  EXPECT_EQ(victim.calls, 0);
  turn_at(kStart_ns + 500);
  EXPECT_EQ(victim.calls, 1);
}

TEST_F(ReactorTimersTest, UpdateMovesBothWays) {
  Handler timer;
  const TimerHandle handle = must(reactor.after(100, timer.timer()));
  EXPECT_TRUE(reactor.update(handle, kStart_ns + 200));
  turn_at(kStart_ns + 150);
  EXPECT_EQ(timer.calls, 0);
  EXPECT_TRUE(reactor.update(handle, kStart_ns + 160));
  turn_at(kStart_ns + 160);
  EXPECT_EQ(timer.calls, 1);
  EXPECT_FALSE(reactor.update(handle, kStart_ns + 500));
  turn_at(kStart_ns + 500);
  EXPECT_EQ(timer.calls, 1);
}

TEST_F(ReactorTimersTest, InItsCallbackAOneShotHasGone) {
  Handler timer;
  TimerHandle handle;
  timer.body = [&] {
    EXPECT_FALSE(reactor.cancel(handle));
    EXPECT_EQ(reactor.timers(), 0u);
  };
  handle = must(reactor.after(1, timer.timer()));
  turn_at(kStart_ns + 1);
  EXPECT_EQ(timer.calls, 1);
}

TEST_F(ReactorTimersTest, OneThatIsSetInACallbackAndDueAlreadyWaitsForTheNextTurn) {
  Handler timer;
  timer.body = [&] { must(reactor.after(0, timer.timer())); };
  must(reactor.after(0, timer.timer()));
  turn_at(kStart_ns);
  EXPECT_EQ(timer.calls, 1);
  turn_at(kStart_ns);
  EXPECT_EQ(timer.calls, 2);
}

// Each firing is noticed late by a random amount, and the callback takes its time, too.
TEST_F(ReactorTimersTest, AnIntervalDoesNotDrift) {
  constexpr std::uint64_t kInterval_ns = 1000;
  std::mt19937 random(3);
  Handler timer{.body = [&] { clock.now_ns += random() % 100; }};
  must(reactor.every(kInterval_ns, timer.timer()));
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    turn_at(kStart_ns + i * kInterval_ns + random() % 800);
    ASSERT_EQ(timer.calls, static_cast<int>(i));
    ASSERT_EQ(timer.expiry.deadline_ns, kStart_ns + i * kInterval_ns);
    ASSERT_EQ(timer.expiry.expirations, 1u);
  }
}

TEST_F(ReactorTimersTest, MissedIntervalsComeAsOneCallWithTheirNumber) {
  Handler timer;
  must(reactor.every(1000, timer.timer()));
  turn_at(kStart_ns + 4500);
  EXPECT_EQ(timer.calls, 1);
  EXPECT_EQ(timer.expiry.deadline_ns, kStart_ns + 1000);
  EXPECT_EQ(timer.expiry.expirations, 4u);
  turn_at(kStart_ns + 4999);
  EXPECT_EQ(timer.calls, 1);
  turn_at(kStart_ns + 5000);  // still on the grid of the first
  EXPECT_EQ(timer.calls, 2);
  EXPECT_EQ(timer.expiry.expirations, 1u);
}

TEST_F(ReactorTimersTest, AnIntervalCanCancelItself) {
  Handler timer;
  TimerHandle handle;
  timer.body = [&] { EXPECT_TRUE(reactor.cancel(handle)); };
  handle = must(reactor.every(10, timer.timer()));
  turn_at(kStart_ns + 10);
  turn_at(kStart_ns + 100);
  EXPECT_EQ(timer.calls, 1);
  EXPECT_EQ(reactor.timers(), 0u);
}

TEST_F(ReactorTimersTest, AnIntervalThatIsMovedGoesOnFromThere) {
  Handler timer;
  const TimerHandle handle = must(reactor.every(10, timer.timer()));
  EXPECT_TRUE(reactor.update(handle, kStart_ns + 15));
  turn_at(kStart_ns + 15);
  turn_at(kStart_ns + 24);
  EXPECT_EQ(timer.calls, 1);
  turn_at(kStart_ns + 25);
  EXPECT_EQ(timer.calls, 2);
}

TEST_F(ReactorTimersTest, AFullTableRefuses) {
  Handler timer;
  TimerHandle last;
  for (int i = 0; i < 1000; ++i) {
    last = must(reactor.after(1, timer.timer()));
  }
  EXPECT_FALSE(reactor.after(1, timer.timer()).has_value());
  EXPECT_TRUE(reactor.cancel(last));
  EXPECT_TRUE(reactor.after(1, timer.timer()).has_value());
}

TEST_F(ReactorTimersTest, ADelayBeyondTheEndOfTimeNeverFires) {
  Handler timer;
  must(reactor.after(Reactor::kForever, timer.timer()));
  turn_at(Reactor::kForever - 1);
  EXPECT_EQ(timer.calls, 0);
}

// Set, cancelled, moved and expired at random; a plain list says what must happen.
TEST_F(ReactorTimersTest, BehavesLikeAList) {
  struct Model {
    std::uint64_t deadline_ns = 0;
    TimerHandle handle;
    bool set = false;
  };
  struct Timer {
    const ManualClock* clock;
    Model model;
    void on_timer(Expiry expiry) {
      ASSERT_TRUE(model.set);
      ASSERT_EQ(model.deadline_ns, expiry.deadline_ns);
      ASSERT_LE(model.deadline_ns, clock->now_ns);
      model.set = false;
    }
  };
  std::vector<Timer> timers(300, Timer{.clock = &clock, .model = {}});
  std::mt19937 random(5);
  for (int i = 0; i < 30'000; ++i) {
    Timer& timer = timers[random() % timers.size()];
    const std::uint64_t deadline_ns = clock.now_ns + 1 + random() % 200;
    switch (random() % 4) {
      case 0:
        if (!timer.model.set) {
          timer.model = {
              .deadline_ns = deadline_ns,
              .handle = must(reactor.at(deadline_ns, TimerCallback::to<&Timer::on_timer>(timer))),
              .set = true};
        }
        break;
      case 1:
        ASSERT_EQ(reactor.cancel(timer.model.handle), timer.model.set);
        timer.model.set = false;
        break;
      case 2:
        ASSERT_EQ(reactor.update(timer.model.handle, deadline_ns), timer.model.set);
        timer.model.deadline_ns = deadline_ns;
        break;
      default:
        turn_at(clock.now_ns + random() % 3);
        for (const Timer& each : timers) {
          ASSERT_TRUE(!each.model.set || each.model.deadline_ns > clock.now_ns);
        }
        break;
    }
  }
  EXPECT_GT(reactor.counters().timers_expired, 1000u);
}

}  // namespace
}  // namespace epoll_reference
