// DEFER_TASKRUN: a completion that took its time is posted only when the owner asks for events, and
// nobody but the owner's thread may ask.

#include <unistd.h>

#include <thread>

#include "tests/kernel/kernel_test.hpp"
#include "tests/kernel/test_files.hpp"

namespace {

class DeferTaskrun : public testing::Test {
 protected:
  void SetUp() override { NEEDS_FEATURE(DeferTaskrun); }

  static uring::Ring make(std::uint32_t more_flags = 0) {
    return kernel_test::make_ring({.setup_flags = uring::IORING_SETUP_SINGLE_ISSUER |
                                                  uring::IORING_SETUP_DEFER_TASKRUN | more_flags});
  }

  kernel_test::SocketPair sockets_;
};

TEST_F(DeferTaskrun, CompletionsAreInvisibleUntilAskedFor) {
  uring::Ring ring = make();
  std::array<std::byte, 4> buffer{};
  uring::prep_recv(*ring.next_sqe(), sockets_.near.get(), buffer, 0);
  ASSERT_TRUE(ring.submit().has_value());
  kernel_test::write_text(sockets_.far.get(), "data");
  // The data is there, and system calls of other kinds do not run the ring's work.
  for (int i = 0; i < 100; ++i) {
    (void)::getppid();
  }
  EXPECT_EQ(ring.cq().ready(), 0U);
  ASSERT_TRUE(ring.get_events().has_value());
  EXPECT_EQ(ring.cq().ready(), 1U);
}

TEST_F(DeferTaskrun, OnlyTheOwnerMayEnter) {
  uring::Ring ring = make();
  uring::prep_nop(*ring.next_sqe());
  ASSERT_TRUE(ring.submit().has_value());
  int error = 0;
  std::thread([&] {
    const auto entered = ring.get_events();
    error = entered ? 0 : entered.error().value;
  }).join();
  EXPECT_EQ(error, EEXIST);
}

TEST_F(DeferTaskrun, WhoEnablesADisabledRingOwnsIt) {
  uring::Ring ring = make(uring::IORING_SETUP_R_DISABLED);
  uring::prep_nop(*ring.next_sqe());
  const auto early = ring.submit();
  ASSERT_FALSE(early.has_value());
  EXPECT_EQ(early.error().value, EBADFD);
  std::thread([&] {
    EXPECT_TRUE(ring.enable().has_value());
    EXPECT_EQ(ring.submit_and_wait(1).value_or(0), 1U);
  }).join();
  EXPECT_EQ(ring.get_events().error().value, EEXIST) << "this thread made it, the other owns it";
}

}  // namespace
