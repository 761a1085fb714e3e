// How long the network server waits for more, at given times: no clock and no ring.

#include "m3_network_server/batch_wait.hpp"

#include <cstdint>
#include <ostream>
#include <vector>

#include <gtest/gtest.h>

namespace network_server {

// As GoogleTest shows it.
void PrintTo(const BatchWait::Plan& plan, std::ostream* out) {
  *out << plan.arrivals << " arrivals, at most " << plan.at_most_us << " us";
}

}  // namespace network_server

namespace {

using network_server::BatchWait;

constexpr BatchWait::Plan kNone{};
constexpr std::uint64_t kUs = 1000;
constexpr std::uint64_t kMs = 1000 * kUs;
constexpr std::uint32_t kNoLimit = 1'000'000;
constexpr std::uint64_t kLongestPeriodNs = 20 * kMs;

// Clients that speak one after the other, over and over again.
class Circle {
 public:
  Circle(std::uint32_t clients, std::uint32_t limit_us) : wait_(limit_us), marks_(clients) {
    // The first period has begun when the machine has: it ends here.
    EXPECT_EQ(end_turn(0), kNone);
  }

  // The next so many of them speak, each once, in a turn that takes so long.
  BatchWait::Plan turn(std::uint32_t speakers, std::uint64_t time_ns) {
    for (std::uint32_t i = 0; i < speakers; ++i) {
      speak(next_);
      next_ = (next_ + 1) % marks_.size();
    }
    return end_turn(time_ns);
  }
  // The same until each has spoken twice.
  BatchWait::Plan two_rounds(std::uint32_t speakers_a_turn, std::uint64_t turn_ns) {
    BatchWait::Plan plan;
    for (std::uint64_t spoken = 0; spoken < 2 * marks_.size(); spoken += speakers_a_turn) {
      plan = turn(speakers_a_turn, turn_ns);
    }
    return plan;
  }

  void speak(std::size_t client) { wait_.note_arrival(marks_[client]); }
  BatchWait::Plan end_turn(std::uint64_t time_ns) {
    now_ns_ += time_ns;
    return wait_.end_turn(now_ns_, static_cast<std::uint32_t>(marks_.size()));
  }

 private:
  BatchWait wait_;
  std::vector<std::uint8_t> marks_;
  std::size_t next_ = 0;
  std::uint64_t now_ns_ = 3600'000 * kMs;  // that this machine has run
};

}  // namespace

// --- many clients --------------------------------------------------------------------------------------

TEST(BatchWait, NothingIsKnownBeforeTheFirstPeriodHasEnded) {
  Circle circle(1000, kNoLimit);
  for (int turn = 1; turn < 200; ++turn) {
    EXPECT_EQ(circle.turn(10, 50 * kUs), kNone) << turn;
  }
  EXPECT_NE(circle.turn(10, 50 * kUs), kNone);
}

// 100 turns make a round, of 5 ms: a 32nd of it is 156 us.
TEST(BatchWait, IsForA32ndOfTheClientsAndOfTheirRound) {
  Circle circle(1000, kNoLimit);
  const BatchWait::Plan expected{.arrivals = 31, .at_most_us = 156};
  EXPECT_EQ(circle.two_rounds(10, 50 * kUs), expected);
  EXPECT_EQ(circle.turn(10, 50 * kUs), expected) << "and so it is in the next period";
}

TEST(BatchWait, IsNeverForMoreWhateverTheTurnsAre) {
  for (const std::uint32_t clients : {128U, 160U, 999U, 5000U, 20'000U}) {
    for (const std::uint32_t speakers : {4U, 10U, 64U, 1000U}) {
      for (const std::uint64_t turn_ns : {3 * kUs, 20 * kUs, 333 * kUs, 2 * kMs, 30 * kMs}) {
        SCOPED_TRACE(testing::Message()
                     << clients << " clients, " << speakers << " in turns of " << turn_ns << " ns");
        Circle circle(clients, kNoLimit);
        const std::uint64_t round_ns = turn_ns * clients / speakers;
        for (std::uint32_t spoken = 0; spoken < 4 * clients + 1000; spoken += speakers) {
          const BatchWait::Plan plan = circle.turn(speakers, turn_ns);
          ASSERT_LE(32 * plan.arrivals, clients);
          ASSERT_LE(32 * kUs * plan.at_most_us, round_ns);
        }
      }
    }
  }
}

TEST(BatchWait, HasALimit) {
  Circle circle(1000, 100);
  EXPECT_EQ(circle.two_rounds(10, 50 * kUs), (BatchWait::Plan{.arrivals = 31, .at_most_us = 100}));
}

// They have not all spoken in 20 ms. Then those who have are the clients, and these 20 ms the round.
TEST(BatchWait, APeriodEndsHoweverLongTheRoundIs) {
  Circle circle(10'000, kNoLimit);
  BatchWait::Plan plan;
  for (int turn = 0; turn < 200; ++turn) {
    ASSERT_EQ(plan, kNone) << turn;
    plan = circle.turn(10, 100 * kUs);
  }
  EXPECT_EQ(plan, (BatchWait::Plan{.arrivals = 2000 / 32, .at_most_us = 20'000 / 32}));
}

TEST(BatchWait, FollowsTheClients) {
  Circle circle(1000, kNoLimit);
  EXPECT_EQ(circle.two_rounds(10, 50 * kUs).at_most_us, 156U);
  EXPECT_EQ(circle.two_rounds(10, 25 * kUs).at_most_us, 78U) << "they have become faster";
}

// The marks of those who go on speaking are never those of an earlier period with the same number.
// (After each eighth period, the next one is without waits.)
TEST(BatchWait, ThePeriodsAreMoreThanAMarkCanCount) {
  Circle circle(320, kNoLimit);
  const BatchWait::Plan expected{.arrivals = 10, .at_most_us = 20};
  for (int period = 0; period < 1000; ++period) {
    ASSERT_EQ(circle.two_rounds(10, 20 * kUs), period % 8 == 7 ? kNone : expected) << period;
  }
}

// Who was silent for 256 periods has the mark of this one, and does not count in it.
TEST(BatchWait, AnOldMarkCostsOnePeriod) {
  Circle circle(320, kNoLimit);
  const BatchWait::Plan expected{.arrivals = 10, .at_most_us = 20};
  EXPECT_EQ(circle.two_rounds(10, 20 * kUs), expected);
  for (std::size_t client = 0; client < 320; ++client) {
    circle.speak(client);
  }
  for (int period = 0; period < 256; ++period) {
    (void)circle.end_turn(kLongestPeriodNs);
  }
  for (int turn = 0; turn < 26; ++turn) {
    EXPECT_EQ(circle.turn(10, 20 * kUs), kNone) << turn;  // 256 arrivals are a period's fewest
  }
  EXPECT_EQ(circle.two_rounds(10, 20 * kUs), expected);
}

// --- no wait -------------------------------------------------------------------------------------------

TEST(BatchWait, ALimitOfZeroIsNever) {
  Circle circle(1000, 0);
  for (int turn = 0; turn < 1000; ++turn) {
    ASSERT_EQ(circle.turn(10, 50 * kUs), kNone);
  }
}

TEST(BatchWait, FewClientsAreNotWaitedFor) {
  for (const std::uint32_t clients : {1U, 64U, 127U}) {
    Circle circle(clients, kNoLimit);
    for (int turn = 0; turn < 1000; ++turn) {
      ASSERT_EQ(circle.turn(10, 50 * kUs), kNone) << clients;
    }
  }
  Circle circle(128, kNoLimit);
  EXPECT_EQ(circle.two_rounds(8, 50 * kUs).arrivals, 4U);
}

// Most of the clients are connected and silent.
TEST(BatchWait, WhoDoesNotSpeakDoesNotCount) {
  Circle circle(1000, kNoLimit);
  for (int turn = 0; turn < 1000; ++turn) {
    for (std::size_t client = 0; client < 100; ++client) {
      circle.speak(client);
    }
    ASSERT_EQ(circle.end_turn(100 * kUs), kNone);
  }
}

TEST(BatchWait, NobodyWaitsWhereTurnsBringFew) {
  Circle circle(1000, kNoLimit);
  for (int turn = 0; turn < 2000; ++turn) {
    ASSERT_EQ(circle.turn(3, 10 * kUs), kNone);
  }
  Circle busier(1000, kNoLimit);
  EXPECT_NE(busier.two_rounds(4, 10 * kUs), kNone);
}

// Clients that speak on their own account come in a crowd after a pause of the machine's. Then each wait
// brings as many of them as it is for, and only a period without shows that they come one by one.
TEST(BatchWait, ACrowdThatAPauseHasMadeIsNotWaitedForForGood) {
  constexpr std::uint64_t kBetweenArrivalsNs = 10 * kUs;
  Circle circle(1000, kNoLimit);
  BatchWait::Plan plan = circle.turn(1000, 80 * kMs);
  ASSERT_NE(plan, kNone);
  for (int turn = 0; turn < 1000; ++turn) {
    const std::uint32_t speakers = plan == kNone ? 1 : plan.arrivals;
    plan = circle.turn(speakers, speakers * kBetweenArrivalsNs);
  }
  for (int turn = 0; turn < 10'000; ++turn) {
    ASSERT_EQ(plan, kNone) << turn;
    plan = circle.turn(1, kBetweenArrivalsNs);
  }
}

// Each of the connections speaks once, and there are never many of them.
TEST(BatchWait, ManyThatComeAndGoAreFewClients) {
  for (const std::uint32_t open : {100U, 1000U}) {
    BatchWait wait(kNoLimit);
    std::uint64_t now_ns = 0;
    BatchWait::Plan plan;
    for (int turn = 0; turn < 1000; ++turn) {
      for (int i = 0; i < 10; ++i) {
        std::uint8_t mark_of_a_new_one = 0;
        wait.note_arrival(mark_of_a_new_one);
      }
      plan = wait.end_turn(now_ns += 100 * kUs, open);
      if (open == 100) {
        ASSERT_EQ(plan, kNone) << turn;
      }
    }
    EXPECT_EQ(plan.arrivals, open == 100 ? 0U : 1000U / 32);
  }
}

TEST(BatchWait, ARoundTooShortForAMicrosecondIsNotWaitedFor) {
  Circle circle(1000, kNoLimit);
  for (int turn = 0; turn < 100; ++turn) {
    ASSERT_EQ(circle.turn(1000, 31 * kUs), kNone);
  }
  EXPECT_EQ(circle.two_rounds(1000, 32 * kUs).at_most_us, 1U);
}

// --- what ends it --------------------------------------------------------------------------------------

TEST(BatchWait, SilenceEndsItWithin20Milliseconds) {
  Circle circle(1000, kNoLimit);
  const BatchWait::Plan busy = circle.two_rounds(10, 50 * kUs);
  ASSERT_NE(busy, kNone);
  EXPECT_EQ(circle.end_turn(1 * kMs), busy);
  EXPECT_EQ(circle.end_turn(kLongestPeriodNs - 1 * kMs - 1), busy);
  EXPECT_EQ(circle.end_turn(1), kNone);
  EXPECT_EQ(circle.end_turn(1 * kMs), kNone);
}

TEST(BatchWait, OneTurnThatComesLateEndsItToo) {
  Circle circle(1000, kNoLimit);
  ASSERT_NE(circle.two_rounds(10, 50 * kUs), kNone);
  EXPECT_EQ(circle.turn(1, 60'000 * kMs), kNone);
}

// One who speaks twice before anybody else has is not a round of all clients.
TEST(BatchWait, AMessageInTwoPiecesDoesNotEndAPeriod) {
  Circle circle(1000, kNoLimit);
  const BatchWait::Plan busy = circle.two_rounds(10, 50 * kUs);
  ASSERT_NE(busy, kNone);
  for (std::size_t client = 0; client < 5; ++client) {
    circle.speak(client);
    circle.speak(client);
    EXPECT_EQ(circle.end_turn(50 * kUs), busy) << client;
  }
}
