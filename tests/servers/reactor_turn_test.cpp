// The order of a turn, deferred tasks, run() and stop().

#include "tests/servers/reactor_fixture.hpp"

namespace epoll_reference {
namespace {

class ReactorTurnTest : public ReactorTest {
 protected:
  using Log = std::vector<std::string>;
  Log log;
};

// The change that is queued is one that the kernel refuses, since that shows when it was told.
TEST_F(ReactorTurnTest, TimersThenIoThenChangesThenDeferredTasks) {
  const base::UniqueFd regular_file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  const SocketPair pair;
  Handler deferred{.body = [&] { log.push_back("deferred"); }};
  Handler refused{.body = [&] { log.push_back("change"); }};
  Handler io{.body = [&] {
    reactor.defer(deferred.task());
    EXPECT_TRUE(reactor.add(regular_file.get(), EPOLLIN, refused.io()).has_value());
    log.push_back("io");
  }};
  Handler timer{.body = [&] { log.push_back("timer"); }};
  watch(pair.ours.get(), EPOLLIN, io);
  ASSERT_TRUE(reactor.at(0, timer.timer()).has_value());
  pair.poke();

  turn();

  EXPECT_EQ(log, (Log{"timer", "io", "change", "deferred"}));
  EXPECT_EQ(refused.events, kNotWatched);
  EXPECT_EQ(reactor.counters().turns, 1u);
}

TEST_F(ReactorTurnTest, TheEarliestTimerIsFirst) {
  Handler late{.body = [&] { log.push_back("late"); }};
  Handler early{.body = [&] { log.push_back("early"); }};
  ASSERT_TRUE(reactor.at(2, late.timer()).has_value());
  ASSERT_TRUE(reactor.at(1, early.timer()).has_value());
  turn();
  EXPECT_EQ(log, (Log{"early", "late"}));
}

TEST_F(ReactorTurnTest, DeferredTasksRunInTheOrderInWhichTheyWereDeferred) {
  Handler first{.body = [&] { log.push_back("first"); }};
  Handler second{.body = [&] { log.push_back("second"); }};
  reactor.defer(first.task());
  reactor.defer(second.task());
  reactor.defer(first.task());
  reactor.turn();  // would wait for ever if a waiting task did not keep it from that
  EXPECT_EQ(log, (Log{"first", "second", "first"}));
  EXPECT_EQ(reactor.counters().deferred, 3u);
}

TEST_F(ReactorTurnTest, ATaskThatATaskDefersRunsInTheNextTurnWhichDoesNotWait) {
  Handler inner{.body = [&] { log.push_back("inner"); }};
  Handler outer{.body = [&] {
    log.push_back("outer");
    reactor.defer(inner.task());
  }};
  reactor.defer(outer.task());
  turn();
  EXPECT_EQ(log, Log{"outer"});
  reactor.turn();
  EXPECT_EQ(log, (Log{"outer", "inner"}));
}

// A task that defers itself must not keep the descriptors from their events.
TEST_F(ReactorTurnTest, ATaskThatAlwaysDefersItselfLetsIoThrough) {
  const SocketPair pair;
  Handler io{.body = [&] { reactor.stop(); }};
  Handler again;
  again.body = [&] { reactor.defer(again.task()); };
  watch(pair.ours.get(), EPOLLIN, io);
  reactor.defer(again.task());
  pair.poke();
  reactor.run();
  EXPECT_EQ(io.calls, 1);
}

TEST_F(ReactorTurnTest, ChangesByADeferredTaskAreToldBeforeTheNextWait) {
  const SocketPair pair;
  Handler io;
  Handler task{.body = [&] { watch(pair.ours.get(), EPOLLIN, io); }};
  reactor.defer(task.task());
  pair.poke();
  turn();
  EXPECT_EQ(epoll_ctl_calls(), 0u);
  reactor.turn();
  EXPECT_EQ(io.calls, 1);
}

TEST_F(ReactorTurnTest, WhatARefusedOneQueuesIsToldWithoutAWait) {
  const base::UniqueFd regular_file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  const SocketPair pair;
  Handler io;
  Handler refused{.body = [&] { watch(pair.ours.get(), EPOLLIN, io); }};
  Handler task{.body = [&] {
    EXPECT_TRUE(reactor.add(regular_file.get(), EPOLLIN, refused.io()).has_value());
  }};
  reactor.defer(task.task());
  pair.poke();
  turn();          // queues the file
  reactor.turn();  // before the wait it is refused, and the socket queued instead
  EXPECT_EQ(refused.calls, 1);
  reactor.turn();
  EXPECT_EQ(io.calls, 1);
}

TEST_F(ReactorTurnTest, StopEndsRunAfterTheTurn) {
  Handler task{.body = [&] { log.push_back("task"); }};
  Handler timer{.body = [&] {
    reactor.stop();
    reactor.defer(task.task());
  }};
  ASSERT_TRUE(reactor.after(0, timer.timer()).has_value());
  reactor.run();
  EXPECT_EQ(log, Log{"task"});
  EXPECT_EQ(reactor.counters().turns, 1u);
}

TEST_F(ReactorTurnTest, MoreEventsThanABatchHoldsComeWithTheNextTurns) {
  Reactor small = must_create({.registrations = 8, .events_per_wait = 2});
  const SocketPair pairs[5];
  Handler io;
  for (const SocketPair& pair : pairs) {
    ASSERT_TRUE(small.add(pair.ours.get(), EPOLLIN | EPOLLET, io.io()).has_value());
    pair.poke();
  }
  small.turn(0);
  EXPECT_EQ(io.calls, 2);
  small.turn(0);
  small.turn(0);
  EXPECT_EQ(io.calls, 5);
  EXPECT_EQ(small.counters().events, 5u);
}

TEST_F(ReactorTurnTest, ACallbackMustNotRunTheReactor) {
  Handler task{.body = [&] { reactor.turn(0); }};
  reactor.defer(task.task());
  EXPECT_DEATH(reactor.turn(0), "a callback must not run the reactor");
}

}  // namespace
}  // namespace epoll_reference
