#include <fcntl.h>

#include <cerrno>

#include <gtest/gtest.h>

#include "common/base/errno.hpp"

namespace {

TEST(Errno, HasTheNameAndTheMessageOfItsNumber) {
  EXPECT_STREQ(base::Errno{EBADF}.name(), "EBADF");
  EXPECT_STREQ(base::Errno{ENOENT}.name(), "ENOENT");
  EXPECT_STREQ(base::Errno{ENOBUFS}.name(), "ENOBUFS");
  EXPECT_STREQ(base::Errno{ENOENT}.message(), "No such file or directory");
}

TEST(Errno, ANumberWithoutANameIsNotNull) {
  for (const int number : {-1, 100'000}) {
    EXPECT_STREQ(base::Errno{number}.name(), "E?");
    EXPECT_STREQ(base::Errno{number}.message(), "unknown error");
  }
}

TEST(Errno, IsComparedByNumber) {
  EXPECT_EQ(base::Errno{EAGAIN}, base::Errno{EAGAIN});
  EXPECT_NE(base::Errno{EAGAIN}, base::Errno{EINTR});
}

base::Result<int> half(int number) {
  if (number % 2 != 0) {
    return base::fail(EINVAL);
  }
  return number / 2;
}

base::Result<int> quarter(int number) {
  const auto halved = half(number);
  if (!halved) {
    return base::fail(halved.error());
  }
  return half(*halved);
}

TEST(Errno, FailMakesAResultOfANumberOrOfAnErrno) {
  EXPECT_EQ(quarter(12), 3);
  EXPECT_EQ(half(3).error(), base::Errno{EINVAL});
  EXPECT_EQ(quarter(3).error(), base::Errno{EINVAL});
  EXPECT_EQ(quarter(6).error(), base::Errno{EINVAL});
}

TEST(Errno, LastErrorIsTheOneOfTheCallThatFailed) {
  ASSERT_EQ(::open("/dev/null/no_folder", O_RDONLY | O_CLOEXEC), -1);
  EXPECT_EQ(base::last_error(), base::Errno{ENOTDIR});
}

}  // namespace
