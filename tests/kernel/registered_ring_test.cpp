// A registered ring descriptor: io_uring_enter by index. The index belongs to the thread.

#include <thread>

#include "common/uring/syscalls.hpp"
#include "tests/kernel/kernel_test.hpp"

namespace {

TEST(RegisteredRing, EntersByIndex) {
  NEEDS_FEATURE(RegisteredRing);
  uring::Ring ring = kernel_test::make_ring();
  ASSERT_TRUE(ring.register_ring_fd().has_value());
  EXPECT_TRUE(ring.uses_registered_fd());
  ASSERT_TRUE(ring.register_ring_fd().has_value()) << "twice is once";
  uring::prep_nop(*ring.next_sqe());
  EXPECT_EQ(ring.submit_and_wait(1).value_or(0), 1U);
}

TEST(RegisteredRing, IsTheThreadsOwn) {
  NEEDS_FEATURE(RegisteredRing);
  uring::Ring ring = kernel_test::make_ring();
  ASSERT_TRUE(ring.register_ring_fd().has_value());
  int error = 0;
  std::thread([&] {
    const auto entered = ring.get_events();
    error = entered ? 0 : entered.error().value;
  }).join();
  EXPECT_NE(error, 0) << "the index means nothing in another thread";
}

TEST(RegisteredRing, IsGivenBackWithTheRing) {
  NEEDS_FEATURE(RegisteredRing);
  // A thread has 16 of them: were they not given back, the seventeenth would fail.
  for (int i = 0; i < 40; ++i) {
    uring::Ring ring = kernel_test::make_ring();
    ASSERT_TRUE(ring.register_ring_fd().has_value()) << "ring " << i;
  }
}

}  // namespace
