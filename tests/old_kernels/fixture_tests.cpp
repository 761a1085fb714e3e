// Tests that end in every way a test can end, so that tests/old_kernels/self_test can see the
// harness count each as what it is.

#include <unistd.h>

#include <cstdlib>

#include <gtest/gtest.h>

TEST(Fixture, Passes) {
  EXPECT_GT(getpid(), 1);
}
TEST(Fixture, Fails) {
  FAIL() << "this test always fails";
}
TEST(Fixture, Skips) {
  GTEST_SKIP() << "this test always skips";
}
TEST(Fixture, Crashes) {
  std::abort();
}
TEST(Fixture, Hangs) {
  pause();
}
TEST(Fixture, ExitsEarlyAsIfAllWereWell) {
  std::_Exit(0);
}
TEST(Fixture, PassesAfterTheOthers) {
  EXPECT_GT(getpid(), 1);
}
