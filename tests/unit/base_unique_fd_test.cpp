#include <fcntl.h>
#include <unistd.h>

#include <type_traits>
#include <utility>

#include <gtest/gtest.h>

#include "common/base/unique_fd.hpp"

namespace {

using base::UniqueFd;

static_assert(!std::is_copy_constructible_v<UniqueFd>);
static_assert(!std::is_copy_assignable_v<UniqueFd>);
static_assert(!std::is_convertible_v<int, UniqueFd>, "owning a descriptor is said aloud");

int open_null() {
  const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_GE(fd, 0);
  return fd;
}

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

TEST(UniqueFd, OwnsNothingByDefault) {
  const UniqueFd fd;
  EXPECT_FALSE(fd.valid());
  EXPECT_EQ(fd.get(), -1);
}

TEST(UniqueFd, DescriptorZeroIsOne) {
  UniqueFd fd(0);
  EXPECT_TRUE(fd.valid());
  EXPECT_EQ(fd.release(), 0);
}

TEST(UniqueFd, ClosesAtTheEndOfItsScope) {
  const int number = open_null();
  {
    const UniqueFd fd(number);
    EXPECT_TRUE(fd.valid());
    EXPECT_EQ(fd.get(), number);
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

// The number of a closed descriptor is given out again at once. If anybody closed twice, the second
// close would hit that new file.
TEST(UniqueFd, ClosesOnce) {
  UniqueFd first(open_null());
  const int number = first.get();
  first.reset();
  EXPECT_FALSE(first.valid());
  const UniqueFd second(open_null());
  ASSERT_EQ(second.get(), number);
  first.reset();
  { const UniqueFd moved = std::move(first); }
  EXPECT_TRUE(is_open(number));
}

TEST(UniqueFd, MovesTheOwnership) {
  const int number = open_null();
  UniqueFd first(number);
  {
    const UniqueFd second = std::move(first);
    EXPECT_FALSE(first.valid());
    EXPECT_EQ(second.get(), number);
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(UniqueFd, MoveAssignmentClosesWhatTheLeftSideHeld) {
  const int left_number = open_null();
  const int right_number = open_null();
  UniqueFd left(left_number);
  UniqueFd right(right_number);
  left = std::move(right);
  EXPECT_FALSE(is_open(left_number));
  EXPECT_TRUE(is_open(right_number));
  EXPECT_EQ(left.get(), right_number);
  EXPECT_FALSE(right.valid());
}

TEST(UniqueFd, SelfMoveKeepsTheDescriptor) {
  UniqueFd fd(open_null());
  const int number = fd.get();
  UniqueFd& same = fd;
  fd = std::move(same);
  EXPECT_EQ(fd.get(), number);
  EXPECT_TRUE(is_open(number));
}

TEST(UniqueFd, ReleaseGivesTheDescriptorAway) {
  int number = -1;
  {
    UniqueFd fd(open_null());
    number = fd.release();
    EXPECT_FALSE(fd.valid());
  }
  EXPECT_TRUE(is_open(number));
  ::close(number);
}

TEST(UniqueFd, ResetTakesAnother) {
  const int first = open_null();
  const int second = open_null();
  UniqueFd fd(first);
  fd.reset(second);
  EXPECT_FALSE(is_open(first));
  EXPECT_EQ(fd.get(), second);
}

TEST(UniqueFdDeathTest, ADescriptorClosedBehindItsBackAborts) {
  EXPECT_DEATH(
      {
        UniqueFd fd(open_null());
        ::close(fd.get());
        fd.reset();
      },
      "closed behind our back");
}

}  // namespace
