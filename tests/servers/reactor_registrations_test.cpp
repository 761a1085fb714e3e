// Adding, modifying and removing, what it costs, and what the kernel may answer.

#include <sys/eventfd.h>

#include <cerrno>

#include "tests/servers/reactor_fixture.hpp"

namespace epoll_reference {
namespace {

class ReactorRegistrationsTest : public ReactorTest {
 protected:
  // Runs the body in a turn, where changes queue.
  void in_a_turn(std::function<void()> body) {
    Handler timer{.body = std::move(body)};
    ASSERT_TRUE(reactor.at(0, timer.timer()).has_value());
    turn();
    ASSERT_EQ(timer.calls, 1);
  }

  SocketPair pair;
  Handler io;
};

TEST_F(ReactorRegistrationsTest, OutsideOfATurnEachChangeIsToldAtOnce) {
  const Registration registration = watch(pair.ours.get(), EPOLLIN, io);
  EXPECT_EQ(epoll_ctl_calls(), 1u);
  EXPECT_TRUE(reactor.modify(registration, EPOLLIN | EPOLLOUT));
  EXPECT_EQ(epoll_ctl_calls(), 2u);
  EXPECT_TRUE(reactor.remove(registration));
  EXPECT_EQ(epoll_ctl_calls(), 3u);
}

TEST_F(ReactorRegistrationsTest, TheSameEventsAgainCostNothing) {
  const Registration registration = watch(pair.ours.get(), EPOLLIN, io);
  EXPECT_TRUE(reactor.modify(registration, EPOLLIN));
  in_a_turn([&] { EXPECT_TRUE(reactor.modify(registration, EPOLLIN)); });
  EXPECT_EQ(epoll_ctl_calls(), 1u);
}

TEST_F(ReactorRegistrationsTest, ArmedAndDisarmedWithinATurnCostsNothing) {
  const Registration registration = watch(pair.ours.get(), EPOLLIN, io);
  in_a_turn([&] {
    EXPECT_TRUE(reactor.modify(registration, EPOLLIN | EPOLLOUT));
    EXPECT_TRUE(reactor.modify(registration, EPOLLIN));
  });
  EXPECT_EQ(epoll_ctl_calls(), 1u);
}

TEST_F(ReactorRegistrationsTest, ManyChangesWithinATurnAreOneCallAndTheLastOneCounts) {
  const Registration registration = watch(pair.ours.get(), EPOLLIN, io);
  in_a_turn([&] {
    EXPECT_TRUE(reactor.modify(registration, 0));
    EXPECT_TRUE(reactor.modify(registration, EPOLLIN | EPOLLOUT));
    EXPECT_TRUE(reactor.modify(registration, EPOLLOUT));
    EXPECT_EQ(epoll_ctl_calls(), 1u);
  });
  EXPECT_EQ(epoll_ctl_calls(), 2u);
  pair.poke();
  turn();
  EXPECT_EQ(io.events, EPOLLOUT);
}

TEST_F(ReactorRegistrationsTest, AddedModifiedAndRemovedWithinATurnCostsNothing) {
  in_a_turn([&] {
    const Registration registration = watch(pair.ours.get(), EPOLLIN, io);
    EXPECT_TRUE(reactor.modify(registration, EPOLLOUT));
    EXPECT_TRUE(reactor.remove(registration));
  });
  turn();
  EXPECT_EQ(epoll_ctl_calls(), 0u);
  EXPECT_EQ(io.calls, 0);
}

TEST_F(ReactorRegistrationsTest, AddedAndModifiedWithinATurnIsOneCall) {
  in_a_turn([&] { EXPECT_TRUE(reactor.modify(watch(pair.ours.get(), EPOLLIN, io), EPOLLOUT)); });
  EXPECT_EQ(epoll_ctl_calls(), 1u);
  turn();
  EXPECT_EQ(io.events, EPOLLOUT);
}

TEST_F(ReactorRegistrationsTest, RemovedForACloseCostsNothing) {
  const Registration registration = watch(pair.ours.get(), EPOLLIN, io);
  pair.poke();
  EXPECT_TRUE(reactor.remove_for_close(registration));
  pair.ours.reset();
  turn();
  EXPECT_EQ(epoll_ctl_calls(), 1u);
  EXPECT_EQ(io.calls, 0);
  EXPECT_EQ(reactor.counters().events, 0u);  // the kernel does not watch it any more
}

TEST_F(ReactorRegistrationsTest, RemovedAndClosedAtOnceIsFine) {
  const Registration registration = watch(pair.ours.get(), EPOLLIN, io);
  in_a_turn([&] {
    EXPECT_TRUE(reactor.remove(registration));
    pair.ours.reset();  // the EPOLL_CTL_DEL that follows gets EBADF
  });
  EXPECT_EQ(epoll_ctl_calls(), 2u);
  EXPECT_EQ(reactor.registrations(), 0u);
}

TEST_F(ReactorRegistrationsTest, RemovedWhileTheNumberIsARegularFileIsFine) {
  const base::UniqueFd regular_file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  const Registration registration = watch(pair.ours.get(), EPOLLIN, io);
  in_a_turn([&] {
    EXPECT_TRUE(reactor.remove(registration));
    EXPECT_EQ(::dup2(regular_file.get(), pair.ours.get()), pair.ours.get());  // EPERM
  });
  EXPECT_EQ(reactor.registrations(), 0u);
}

// A duplicate keeps the file open, so close() alone would leave it in the set.
TEST_F(ReactorRegistrationsTest, ADescriptorWithADuplicateIsClosedInADeferredTask) {
  const base::UniqueFd duplicate(::dup(pair.ours.get()));
  const Registration registration = watch(pair.ours.get(), EPOLLIN, io);
  Handler closes{.body = [&] { pair.ours.reset(); }};
  in_a_turn([&] {
    EXPECT_TRUE(reactor.remove(registration));
    reactor.defer(closes.task());
  });
  ASSERT_FALSE(pair.ours.valid());
  pair.poke();
  turn();
  EXPECT_EQ(reactor.counters().events, 0u);
}

TEST_F(ReactorRegistrationsTest, ModifyAfterTheNumberWasUsedAgainWatchesTheNewFile) {
  const Registration registration = watch(pair.ours.get(), EPOLLIN, io);
  SocketPair next;
  ASSERT_EQ(::dup2(next.ours.get(), pair.ours.get()), pair.ours.get());
  next.ours.reset();
  in_a_turn([&] { EXPECT_TRUE(reactor.modify(registration, EPOLLIN | EPOLLOUT)); });
  EXPECT_EQ(epoll_ctl_calls(), 3u);  // ADD, MOD with ENOENT, ADD
  next.poke();
  turn();
  EXPECT_EQ(io.events, EPOLLIN | EPOLLOUT);
}

TEST_F(ReactorRegistrationsTest, AnAddThatFindsTheFileInTheSetTakesItOver) {
  const base::UniqueFd duplicate(::dup(pair.ours.get()));
  Handler old_one;
  const Registration registration = watch(pair.ours.get(), EPOLLIN, old_one);
  const int number = pair.ours.get();
  EXPECT_TRUE(reactor.remove_for_close(registration));
  pair.ours.reset();  // the duplicate keeps the file, and the set keeps it
  ASSERT_EQ(::dup2(duplicate.get(), number), number);
  pair.ours.reset(number);
  watch(number, EPOLLIN, io);
  EXPECT_EQ(epoll_ctl_calls(), 3u);  // ADD, ADD with EEXIST, MOD
  pair.poke();
  turn();
  EXPECT_EQ(io.calls, 1);
  EXPECT_EQ(old_one.calls, 0);
  EXPECT_EQ(reactor.counters().stale_events, 0u);
}

TEST_F(ReactorRegistrationsTest, WhatTheKernelRefusesIsReturnedOutsideOfATurn) {
  const base::UniqueFd regular_file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  const auto not_pollable = reactor.add(regular_file.get(), EPOLLIN, io.io());
  ASSERT_FALSE(not_pollable.has_value());
  EXPECT_EQ(not_pollable.error().value, EPERM);
  const auto closed = reactor.add(-1, EPOLLIN, io.io());
  ASSERT_FALSE(closed.has_value());
  EXPECT_EQ(closed.error().value, EBADF);
  EXPECT_EQ(io.calls, 0);
  EXPECT_EQ(reactor.registrations(), 0u);
}

TEST_F(ReactorRegistrationsTest, WhatTheKernelRefusesInATurnIsToldToTheCallback) {
  const base::UniqueFd regular_file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  Registration registration;
  base::Errno why;
  io.body = [&] {
    why = reactor.refusal();
    EXPECT_FALSE(reactor.remove(registration));  // it has ended already
  };
  in_a_turn([&] {
    registration = watch(regular_file.get(), EPOLLIN, io);
    EXPECT_EQ(io.calls, 0);
  });
  EXPECT_EQ(io.calls, 1);
  EXPECT_EQ(io.events, kNotWatched);
  EXPECT_EQ(why.value, EPERM);
  EXPECT_EQ(reactor.registrations(), 0u);
  turn();
  EXPECT_EQ(io.calls, 1);
}

TEST_F(ReactorRegistrationsTest, ARefusedOneMayRemoveAnotherThatIsQueuedBehindIt) {
  const base::UniqueFd regular_file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  const Registration watched = watch(pair.ours.get(), EPOLLIN, io);
  Handler refused{.body = [&] { EXPECT_TRUE(reactor.remove(watched)); }};
  in_a_turn([&] {
    watch(regular_file.get(), EPOLLIN, refused);
    EXPECT_TRUE(reactor.modify(watched, EPOLLIN | EPOLLOUT));
  });
  EXPECT_EQ(refused.calls, 1);
  EXPECT_EQ(epoll_ctl_calls(), 3u);  // ADD, ADD with EPERM, DEL instead of MOD
  pair.poke();
  turn();
  EXPECT_EQ(io.calls, 0);
}

TEST_F(ReactorRegistrationsTest, AModifyOfAClosedDescriptorIsRefused) {
  const Registration registration = watch(pair.ours.get(), EPOLLIN, io);
  pair.ours.reset();
  EXPECT_TRUE(reactor.modify(registration, EPOLLOUT));
  EXPECT_EQ(io.events, kNotWatched);
  EXPECT_EQ(reactor.refusal().value, EBADF);
  EXPECT_FALSE(reactor.modify(registration, EPOLLIN));
}

TEST_F(ReactorRegistrationsTest, WhatARefusedOneChangesQueuesOutsideOfATurnToo) {
  SocketPair other;
  Handler added;
  const Registration registration = watch(pair.ours.get(), EPOLLIN, io);
  io.body = [&] { watch(other.ours.get(), EPOLLIN, added); };
  pair.ours.reset();
  EXPECT_TRUE(reactor.modify(registration, EPOLLOUT));
  EXPECT_EQ(epoll_ctl_calls(), 2u);  // ADD, MOD with EBADF
  other.poke();
  turn();
  EXPECT_EQ(epoll_ctl_calls(), 3u);
  EXPECT_EQ(added.calls, 1);
}

TEST_F(ReactorRegistrationsTest, AFullTableRefusesAndTakesAgain) {
  std::vector<SocketPair> pairs(8);
  std::vector<Registration> registrations;
  for (const SocketPair& each : pairs) {
    registrations.push_back(watch(each.ours.get(), EPOLLIN, io));
  }
  const auto refused = reactor.add(pair.ours.get(), EPOLLIN, io.io());
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().value, ENOBUFS);
  EXPECT_TRUE(reactor.remove(registrations.front()));
  watch(pair.ours.get(), EPOLLIN, io);
}

TEST_F(ReactorRegistrationsTest, TheDefaultRegistrationNamesNothing) {
  watch(pair.ours.get(), EPOLLIN, io);
  EXPECT_FALSE(reactor.remove(Registration{}));
  EXPECT_FALSE(reactor.modify(Registration{}, EPOLLIN));
  EXPECT_FALSE(reactor.remove(Registration{.slot = 1'000'000, .generation = 1}));
  EXPECT_EQ(reactor.registrations(), 1u);
}

TEST_F(ReactorRegistrationsTest, RdhupComesToWhoAsksForIt) {
  watch(pair.ours.get(), EPOLLRDHUP, io);
  ASSERT_EQ(::shutdown(pair.peer.get(), SHUT_WR), 0);
  turn();
  EXPECT_EQ(io.events, EPOLLRDHUP);
}

TEST_F(ReactorRegistrationsTest, HupComesUnasked) {
  watch(pair.ours.get(), 0, io);
  pair.peer.reset();
  turn();
  EXPECT_EQ(io.events, EPOLLHUP);
}

TEST_F(ReactorRegistrationsTest, ErrComesUnasked) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
  base::UniqueFd reader(ends[0]);
  const base::UniqueFd writer(ends[1]);
  watch(writer.get(), 0, io);
  reader.reset();
  turn();
  EXPECT_EQ(io.events, EPOLLERR);
}

TEST_F(ReactorRegistrationsTest, LevelTriggeredComesAsLongAsThereIsSomething) {
  watch(pair.ours.get(), EPOLLIN, io);
  pair.poke();
  turn();
  turn();
  EXPECT_EQ(io.calls, 2);
}

TEST_F(ReactorRegistrationsTest, EdgeTriggeredComesOncePerArrival) {
  watch(pair.ours.get(), EPOLLIN | EPOLLET, io);
  pair.poke();
  turn();
  turn();
  EXPECT_EQ(io.calls, 1);
  pair.poke();
  turn();
  EXPECT_EQ(io.calls, 2);
}

TEST_F(ReactorRegistrationsTest, EventsThatWouldDisarmThemselvesAreNotSupported) {
  EXPECT_DEATH((void)reactor.add(pair.ours.get(), EPOLLIN | EPOLLONESHOT, io.io()), "kUnsupported");
}

}  // namespace
}  // namespace epoll_reference
