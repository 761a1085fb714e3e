#include <gtest/gtest.h>

#include "common/support/edit_distance.hpp"

namespace {

using support::edit_distance;

TEST(EditDistance, CountsLettersPutInLeftOutAndReplaced) {
  EXPECT_EQ(edit_distance("overflow", "overflow"), 0U);
  EXPECT_EQ(edit_distance("overflw", "overflow"), 1U);
  EXPECT_EQ(edit_distance("overfloow", "overflow"), 1U);
  EXPECT_EQ(edit_distance("overfluw", "overflow"), 1U);
  EXPECT_EQ(edit_distance("nop", "copy"), 2U);
  EXPECT_EQ(edit_distance("", "copy"), 4U);
  EXPECT_EQ(edit_distance("copy", ""), 4U);
}

TEST(EditDistance, IsTheSameBothWays) {
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("sitting", "kitten"), 3U);
}

}  // namespace
