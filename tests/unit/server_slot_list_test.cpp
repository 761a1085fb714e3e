// Connections that wait: first come first served, and each in one list at a time.

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "common/server/slot_list.hpp"

namespace {

using server::kNoSlot;
using server::SlotLink;
using server::SlotList;

constexpr const char* kCheck = "CHECK\\(.*\\) failed";

class ServerSlotList : public testing::Test {
 protected:
  [[nodiscard]] auto link_of() {
    return [this](std::uint32_t slot) -> SlotLink& { return links_[slot]; };
  }
  void push(std::uint32_t slot) { list_.push_back(slot, link_of()); }
  void remove(std::uint32_t slot) { list_.remove(slot, link_of()); }

  [[nodiscard]] std::vector<std::uint32_t> contents() const {
    std::vector<std::uint32_t> slots;
    for (std::uint32_t slot = list_.first(); slot != kNoSlot; slot = links_[slot].next) {
      slots.push_back(slot);
    }
    return slots;
  }

  std::array<SlotLink, 8> links_{};
  SlotList list_;
};

using ServerSlotListDeathTest = ServerSlotList;
using Slots = std::vector<std::uint32_t>;

}  // namespace

TEST_F(ServerSlotList, IsEmptyAtFirst) {
  EXPECT_TRUE(list_.empty());
  EXPECT_EQ(list_.first(), kNoSlot);
}

TEST_F(ServerSlotList, FirstComeFirstServed) {
  for (const std::uint32_t slot : {5U, 0U, 7U}) {
    push(slot);
  }
  EXPECT_EQ(contents(), (Slots{5, 0, 7}));
  remove(list_.first());
  push(5);
  EXPECT_EQ(contents(), (Slots{0, 7, 5}));
}

TEST_F(ServerSlotList, FromAnyPlace) {
  for (std::uint32_t slot = 0; slot < 5; ++slot) {
    push(slot);
  }
  remove(2);
  EXPECT_EQ(contents(), (Slots{0, 1, 3, 4}));
  remove(4);
  EXPECT_EQ(contents(), (Slots{0, 1, 3}));
  remove(0);
  EXPECT_EQ(contents(), (Slots{1, 3}));
  push(2);
  EXPECT_EQ(contents(), (Slots{1, 3, 2}));
  EXPECT_FALSE(links_[0].linked);
  EXPECT_TRUE(links_[2].linked);
}

TEST_F(ServerSlotList, TheOnlyOne) {
  push(3);
  EXPECT_FALSE(list_.empty());
  remove(3);
  EXPECT_TRUE(list_.empty());
  push(3);
  EXPECT_EQ(contents(), Slots{3});
}

TEST_F(ServerSlotList, AsADequeWouldDo) {
  std::mt19937 random(3);
  std::deque<std::uint32_t> model;
  for (int step = 0; step < 5000; ++step) {
    const auto slot = static_cast<std::uint32_t>(random() % links_.size());
    const auto found = std::ranges::find(model, slot);
    ASSERT_EQ(links_[slot].linked, found != model.end());
    if (found == model.end()) {
      push(slot);
      model.push_back(slot);
    } else {
      remove(slot);
      model.erase(found);
    }
    ASSERT_EQ(contents(), Slots(model.begin(), model.end()));
  }
}

TEST_F(ServerSlotListDeathTest, InOneListAtATime) {
  push(1);
  EXPECT_DEATH(push(1), "in one list at a time");
  SlotList other;
  EXPECT_DEATH(other.push_back(1, link_of()), "in one list at a time");
}

TEST_F(ServerSlotListDeathTest, WhoIsInNoneCannotLeave) {
  EXPECT_DEATH(remove(1), kCheck);
}
