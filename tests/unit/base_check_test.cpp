#include <gtest/gtest.h>

#include "common/base/check.hpp"

namespace {

TEST(Check, DoesNothingIfTheConditionHolds) {
  int evaluated = 0;
  CHECK(++evaluated == 1);
  CHECK(++evaluated == 2, "counted");
  EXPECT_EQ(evaluated, 2);
}

TEST(Check, IsOneStatement) {
  const bool yes = true;
  int branch = 0;
  if (yes)
    CHECK(yes);
  else
    branch = 1;
  EXPECT_EQ(branch, 0);
}

TEST(CheckDeathTest, SaysWhereAndWhat) {
  EXPECT_DEATH(CHECK(1 + 1 == 3), "base_check_test\\.cpp:[0-9]+: CHECK\\(1 \\+ 1 == 3\\) failed\n");
  EXPECT_DEATH(CHECK(false, "the reason"), "CHECK\\(false\\) failed: the reason\n");
}

}  // namespace
