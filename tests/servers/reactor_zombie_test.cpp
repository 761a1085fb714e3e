// Events that the kernel had reported for a registration which ended within the same batch.
//
// The kernel reports descriptors in the order in which they became ready, so in each test the first
// one that was poked is the one whose callback acts, and the second one's event is already there.

#include "tests/servers/reactor_fixture.hpp"

namespace epoll_reference {
namespace {

class ReactorZombieTest : public ReactorTest {
 protected:
  void poke_in_order() const {
    first.poke();
    second.poke();
  }

  SocketPair first;
  SocketPair second;
  Handler acts;
  Handler victim;
};

TEST_F(ReactorZombieTest, ARemovedOneGetsNoEventOfTheBatch) {
  watch(first.ours.get(), EPOLLIN | EPOLLET, acts);
  const Registration registration = watch(second.ours.get(), EPOLLIN, victim);
  acts.body = [&] { EXPECT_TRUE(reactor.remove(registration)); };
  poke_in_order();
  turn();
  EXPECT_EQ(acts.calls, 1);
  EXPECT_EQ(victim.calls, 0);
  EXPECT_EQ(reactor.counters().events, 2u);
  EXPECT_EQ(reactor.counters().stale_events, 1u);
  turn();  // it is still readable, but nobody watches it any more
  EXPECT_EQ(victim.calls, 0);
  EXPECT_EQ(reactor.counters().stale_events, 1u);
}

TEST_F(ReactorZombieTest, OneThatRemovesItselfGetsNoMore) {
  const Registration registration = watch(first.ours.get(), EPOLLIN | EPOLLET, acts);
  acts.body = [&] {
    EXPECT_TRUE(reactor.remove(registration));
    EXPECT_FALSE(reactor.remove(registration));
    EXPECT_FALSE(reactor.modify(registration, EPOLLOUT));
  };
  first.poke();
  turn();
  turn();
  EXPECT_EQ(acts.calls, 1);
  EXPECT_EQ(reactor.registrations(), 0u);
}

// Both ways to end it; with remove_for_close() the new one gets the very slot of the old one, too.
class ReactorReuseTest : public ReactorZombieTest, public testing::WithParamInterface<bool> {
 protected:
  bool end(Registration registration) {
    return GetParam() ? reactor.remove_for_close(registration) : reactor.remove(registration);
  }
};

TEST_P(ReactorReuseTest, ANumberUsedAgainDoesNotGetTheOldEvent) {
  SocketPair next;
  Handler newcomer;
  watch(first.ours.get(), EPOLLIN | EPOLLET, acts);
  const Registration old_one = watch(second.ours.get(), EPOLLIN, victim);
  Registration new_one;
  acts.body = [&] {
    EXPECT_TRUE(end(old_one));
    const int number = second.ours.get();
    ASSERT_EQ(::dup2(next.ours.get(), number), number);  // closes it, and uses its number again
    next.ours.reset();
    new_one = watch(number, EPOLLIN, newcomer);
  };
  poke_in_order();
  turn();
  ASSERT_EQ(acts.calls, 1);
  EXPECT_EQ(victim.calls, 0);
  EXPECT_EQ(newcomer.calls, 0);
  EXPECT_EQ(reactor.counters().stale_events, 1u);
  EXPECT_EQ(new_one.slot == old_one.slot, GetParam());

  turn();
  EXPECT_EQ(newcomer.calls, 0);
  next.poke();
  turn();
  EXPECT_EQ(victim.calls, 0);
  EXPECT_EQ(newcomer.calls, 1);  // its own one
  EXPECT_EQ(reactor.counters().stale_events, 1u);
}

INSTANTIATE_TEST_SUITE_P(BothEnds, ReactorReuseTest, testing::Bool());

// The removal is told after the close, and before the registration of the number's next owner.
TEST_F(ReactorZombieTest, ARemovalDoesNotHitTheNextOwnerOfTheNumber) {
  watch(first.ours.get(), EPOLLIN | EPOLLET, acts);
  const Registration old_one = watch(second.ours.get(), EPOLLIN, victim);
  Handler newcomer;
  acts.body = [&] {
    SocketPair next;
    next.poke();
    const int number = second.ours.get();
    ASSERT_EQ(::dup2(next.ours.get(), number), number);
    second.peer = std::move(next.peer);
    watch(number, EPOLLIN, newcomer);
    EXPECT_TRUE(reactor.remove(old_one));  // too late, but not unheard of
  };
  first.poke();
  turn();
  turn();
  EXPECT_EQ(newcomer.calls, 1);
}

TEST_F(ReactorZombieTest, OneThatWasDisarmedInTheBatchIsNotCalled) {
  watch(first.ours.get(), EPOLLIN | EPOLLET, acts);
  const Registration registration = watch(second.ours.get(), EPOLLIN, victim);
  acts.body = [&] { EXPECT_TRUE(reactor.modify(registration, 0)); };
  poke_in_order();
  turn();
  EXPECT_EQ(victim.calls, 0);
  EXPECT_EQ(reactor.counters().stale_events, 0u);
  EXPECT_TRUE(reactor.modify(registration, EPOLLIN));
  turn();
  EXPECT_EQ(victim.calls, 1);
}

// The kernel has reported the edge and will not do so again by itself.
TEST_F(ReactorZombieTest, AnEdgeThatWasDisarmedInTheBatchComesWhenItIsArmedAgain) {
  SocketPair third;
  Handler rearms;
  watch(first.ours.get(), EPOLLIN | EPOLLET, acts);
  const Registration registration = watch(second.ours.get(), EPOLLIN | EPOLLET, victim);
  watch(third.ours.get(), EPOLLIN | EPOLLET, rearms);
  acts.body = [&] { EXPECT_TRUE(reactor.modify(registration, EPOLLET)); };
  rearms.body = [&] { EXPECT_TRUE(reactor.modify(registration, EPOLLIN | EPOLLET)); };
  poke_in_order();
  third.poke();
  turn();
  ASSERT_EQ(rearms.calls, 1);
  EXPECT_EQ(victim.calls, 0);
  turn();
  EXPECT_EQ(victim.calls, 1);
}

TEST_F(ReactorZombieTest, ACallbackMayDestroyWhatItIsBoundTo) {
  auto owned = std::make_unique<Handler>();
  const Registration registration = watch(first.ours.get(), EPOLLIN, *owned);
  bool destroyed = false;
  owned->body = [&] {
    reactor.remove_for_close(registration);
    first.ours.reset();
    destroyed = true;
  };
  Handler destroys{.body = [&] { owned.reset(); }};
  watch(second.ours.get(), EPOLLIN, destroys);
  first.poke();
  second.poke();
  turn();
  EXPECT_TRUE(destroyed);
  EXPECT_EQ(owned, nullptr);
  turn();
  EXPECT_EQ(reactor.registrations(), 1u);
}

}  // namespace
}  // namespace epoll_reference
