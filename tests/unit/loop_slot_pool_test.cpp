// The life of slots: acquired, counted, closed, and recycled only when nothing is in flight.

#include <algorithm>
#include <cstdint>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "common/loop/slot_pool.hpp"

namespace {

using loop::OpId;
using loop::SlotPool;

constexpr std::uint8_t kKind = 3;

TEST(SlotPool, HandsOutEverySlotOnceAndThenNothing) {
  SlotPool pool(5);
  std::set<std::uint32_t> slots;
  for (std::uint32_t i = 0; i < 5; ++i) {
    const auto slot = pool.acquire();
    ASSERT_TRUE(slot.has_value());
    EXPECT_LT(*slot, 5U);
    EXPECT_TRUE(slots.insert(*slot).second);
    EXPECT_TRUE(pool.is_open(*slot));
    EXPECT_EQ(pool.ops_in_flight(*slot), 0U);
  }
  EXPECT_EQ(pool.in_use(), 5U);
  EXPECT_EQ(pool.acquire(), std::nullopt);
  EXPECT_EQ(pool.in_use(), 5U);
  EXPECT_EQ(pool.capacity(), 5U);
}

TEST(SlotPool, AnEmptyPoolHasNothing) {
  SlotPool pool(0);
  EXPECT_EQ(pool.acquire(), std::nullopt);
  EXPECT_FALSE(pool.matches({.kind = kKind}));
}

TEST(SlotPool, ClosingAnIdleSlotRecyclesItAtOnce) {
  SlotPool pool(1);
  const std::uint32_t slot = pool.acquire().value();
  EXPECT_TRUE(pool.close(slot));
  EXPECT_EQ(pool.in_use(), 0U);
  EXPECT_EQ(pool.acquire(), slot) << "the only one there is";
}

TEST(SlotPool, AClosingSlotWaitsForItsLastOperation) {
  SlotPool pool(1);
  const std::uint32_t slot = pool.acquire().value();
  pool.begin_op(slot);
  pool.begin_op(slot);
  EXPECT_FALSE(pool.close(slot));
  EXPECT_FALSE(pool.is_open(slot));
  EXPECT_EQ(pool.acquire(), std::nullopt) << "the kernel may still write to its memory";
  EXPECT_FALSE(pool.end_op(slot));
  EXPECT_EQ(pool.ops_in_flight(slot), 1U);
  EXPECT_EQ(pool.acquire(), std::nullopt);
  EXPECT_TRUE(pool.end_op(slot));
  EXPECT_EQ(pool.in_use(), 0U);
  EXPECT_EQ(pool.acquire(), slot);
}

TEST(SlotPool, AnOpenSlotOutlivesItsOperations) {
  SlotPool pool(1);
  const std::uint32_t slot = pool.acquire().value();
  pool.begin_op(slot);
  EXPECT_FALSE(pool.end_op(slot)) << "nobody closed it";
  EXPECT_TRUE(pool.is_open(slot));
  EXPECT_EQ(pool.acquire(), std::nullopt);
}

TEST(SlotPool, AClosingSlotMayStillArm) {
  SlotPool pool(1);
  const std::uint32_t slot = pool.acquire().value();
  pool.begin_op(slot);
  EXPECT_FALSE(pool.close(slot));
  pool.begin_op(slot);
  EXPECT_FALSE(pool.end_op(slot));
  EXPECT_TRUE(pool.end_op(slot));
}

TEST(SlotPool, ClosingTwiceChangesNothing) {
  SlotPool pool(2);
  const std::uint32_t slot = pool.acquire().value();
  pool.begin_op(slot);
  EXPECT_FALSE(pool.close(slot));
  EXPECT_FALSE(pool.close(slot));
  EXPECT_EQ(pool.in_use(), 1U);
  EXPECT_TRUE(pool.end_op(slot));
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST(SlotPool, AnIdCarriesItsSlotAndMatchesIt) {
  SlotPool pool(4);
  static_cast<void>(pool.acquire());
  const std::uint32_t slot = pool.acquire().value();
  const OpId id = pool.id(slot, kKind, 77);
  EXPECT_EQ(id.kind, kKind);
  EXPECT_EQ(id.aux, 77);
  EXPECT_EQ(id.slot, slot);
  EXPECT_TRUE(pool.matches(id));
}

TEST(SlotPool, AnIdOfAnEarlierLifeDoesNotMatch) {
  SlotPool pool(1);
  const std::uint32_t slot = pool.acquire().value();
  const OpId earlier = pool.id(slot, kKind);
  EXPECT_TRUE(pool.close(slot));
  EXPECT_FALSE(pool.matches(earlier)) << "the slot is free";
  ASSERT_EQ(pool.acquire(), slot);
  EXPECT_FALSE(pool.matches(earlier)) << "the slot has another owner";
  EXPECT_TRUE(pool.matches(pool.id(slot, kKind)));
}

TEST(SlotPool, AnIdMatchesWhileItsSlotIsClosing) {
  SlotPool pool(1);
  const std::uint32_t slot = pool.acquire().value();
  pool.begin_op(slot);
  const OpId id = pool.id(slot, kKind);
  EXPECT_FALSE(pool.close(slot));
  EXPECT_TRUE(pool.matches(id));
}

TEST(SlotPool, NothingMatchesAFreeOrAnImpossibleSlot) {
  SlotPool pool(2);
  EXPECT_FALSE(pool.matches({.kind = kKind, .slot = 0})) << "never acquired";
  EXPECT_FALSE(pool.matches({.kind = kKind, .slot = 2})) << "one past the last";
  EXPECT_FALSE(pool.matches({.kind = kKind, .slot = loop::kMaxSlots - 1}));
}

// 16 bits: the generation comes round, and only then an id of an old life fits again.
TEST(SlotPool, TheGenerationGoesRoundAfter65536Lives) {
  SlotPool pool(1);
  const std::uint32_t slot = pool.acquire().value();
  const OpId first = pool.id(slot, kKind);
  for (std::uint32_t life = 1; life < 65536; ++life) {
    EXPECT_TRUE(pool.close(slot));
    ASSERT_EQ(pool.acquire(), slot);
    ASSERT_FALSE(pool.matches(first)) << "life " << life;
  }
  EXPECT_TRUE(pool.close(slot));
  ASSERT_EQ(pool.acquire(), slot);
  EXPECT_TRUE(pool.matches(first));
}

// Thousands of random steps against the plainest model of the same rules.
TEST(SlotPool, AgreesWithAModelOverRandomSteps) {
  constexpr std::uint32_t kSlots = 8;
  struct Model {
    bool used = false;
    bool closing = false;
    std::uint32_t ops = 0;
  };
  std::vector<Model> model(kSlots);
  SlotPool pool(kSlots);
  std::mt19937 random(7);
  for (int step = 0; step < 50'000; ++step) {
    const std::uint32_t slot = static_cast<std::uint32_t>(random()) % kSlots;
    Model& expected = model[slot];
    switch (random() % 4) {
      case 0:
        if (const auto acquired = pool.acquire()) {
          ASSERT_FALSE(model[*acquired].used);
          model[*acquired] = {.used = true};
        } else {
          ASSERT_TRUE(std::ranges::all_of(model, &Model::used));
        }
        break;
      case 1:
        if (expected.used) {
          ASSERT_EQ(pool.close(slot), expected.ops == 0);
          expected.closing = true;
          expected.used = expected.ops > 0;
        }
        break;
      case 2:
        if (expected.used) {
          pool.begin_op(slot);
          ++expected.ops;
        }
        break;
      default:
        if (expected.used && expected.ops > 0) {
          --expected.ops;
          const bool last = expected.closing && expected.ops == 0;
          ASSERT_EQ(pool.end_op(slot), last);
          expected.used = !last;
        }
        break;
    }
    ASSERT_EQ(pool.in_use(), std::ranges::count_if(model, &Model::used));
    if (expected.used) {
      ASSERT_EQ(pool.ops_in_flight(slot), expected.ops);
      ASSERT_EQ(pool.is_open(slot), !expected.closing);
    }
  }
}

TEST(SlotPoolDeath, AnOperationEndsOnce) {
  SlotPool pool(1);
  const std::uint32_t slot = pool.acquire().value();
  pool.begin_op(slot);
  EXPECT_FALSE(pool.end_op(slot));
  EXPECT_DEATH(pool.end_op(slot), "an operation ends once");
}

TEST(SlotPoolDeath, AFreeSlotHasNoOperationsAndIsNotClosed) {
  SlotPool pool(1);
  EXPECT_DEATH(pool.begin_op(0), "a slot in use");
  EXPECT_DEATH(pool.close(0), "a slot in use");
}

TEST(SlotPoolDeath, MoreSlotsThanAnIdCanName) {
  EXPECT_DEATH(SlotPool(loop::kMaxSlots + 1), "24 bits");
}

}  // namespace
