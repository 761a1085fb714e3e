#include <array>
#include <vector>

#include <gtest/gtest.h>

#include "common/support/use_order.hpp"

namespace {

struct Thing {
  Thing* newer = nullptr;
  Thing* older = nullptr;
};

class UseOrder : public testing::Test {
 protected:
  void SetUp() override {
    for (Thing& thing : things_) {
      order_.add(thing);
    }
  }
  // Their numbers, from the one used longest ago on.
  [[nodiscard]] std::vector<int> from_oldest() const {
    std::vector<int> numbers;
    for (const Thing* thing = order_.oldest(); thing != nullptr; thing = thing->newer) {
      numbers.push_back(static_cast<int>(thing - things_.data()));
    }
    return numbers;
  }

  std::array<Thing, 3> things_;
  support::UseOrder<Thing> order_;
};

using Numbers = std::vector<int>;

TEST_F(UseOrder, IsThatOfAdding) {
  EXPECT_EQ(from_oldest(), (Numbers{0, 1, 2}));
}

TEST_F(UseOrder, WhatIsUsedBecomesTheNewest) {
  order_.use(things_[0]);
  EXPECT_EQ(from_oldest(), (Numbers{1, 2, 0}));
  order_.use(things_[2]);
  EXPECT_EQ(from_oldest(), (Numbers{1, 0, 2}));
  order_.use(things_[2]);
  EXPECT_EQ(from_oldest(), (Numbers{1, 0, 2})) << "it was the newest already";
}

TEST_F(UseOrder, AnyCanBeRemoved) {
  order_.remove(things_[1]);
  EXPECT_EQ(from_oldest(), (Numbers{0, 2}));
  order_.remove(things_[0]);
  order_.remove(things_[2]);
  EXPECT_EQ(order_.oldest(), nullptr);
  order_.add(things_[1]);
  EXPECT_EQ(from_oldest(), (Numbers{1}));
}

}  // namespace
