// What a cancel costs when many requests wait. One by user_data looks into one of up to 256 lists (so
// many as the size of the CQ gives them); one by descriptor looks at every request of the ring.
//
// Times, but no limits in seconds: each is the best of some rounds, in which nobody came in between,
// and what is compared was measured in turns. The factors found are many times those asked for. (Not
// CPU time: a kernel without a good clock counts it in ticks.)

#include <poll.h>

#include <algorithm>

#include "common/support/cpu_clock.hpp"
#include "tests/kernel/kernel_test.hpp"
#include "tests/kernel/steps.hpp"
#include "tests/kernel/test_files.hpp"

namespace {

constexpr std::uint64_t kTarget = 1;
constexpr std::uint64_t kCancel = 2;
constexpr std::uint64_t kOthers = 1000;  // and up
constexpr std::uint32_t kWaiting = 16'000;

class CancelCost : public testing::Test {
 protected:
  void SetUp() override { NEEDS_FEATURE(CancelFd); }

  // A ring on which `waiting` requests wait, for something that does not come.
  class Waiting {
   public:
    explicit Waiting(std::uint32_t waiting) {
      for (std::uint32_t i = 0; i < waiting; ++i) {
        if (ring_.sq().space_left() == 0) {
          kernel_test::submit_all(ring_);
        }
        uring::prep_poll_add(kernel_test::next(ring_, kOthers + i), idle_.near.get(), POLLIN);
      }
      kernel_test::submit_all(ring_);
    }

    template <class Prepare>
    std::uint64_t ns_of_a_cancel(Prepare prepare) {
      uring::prep_poll_add(kernel_test::next(ring_, kTarget), busy_.near.get(), POLLIN);
      kernel_test::submit_all(ring_);
      uring::io_uring_sqe& sqe = kernel_test::next(ring_, kCancel);
      prepare(sqe, busy_.near.get());
      const std::uint64_t before = support::now_ns();
      const auto cqes = kernel_test::collect(ring_, 2);
      const std::uint64_t after = support::now_ns();
      EXPECT_EQ(kernel_test::res_of(cqes, kTarget), -ECANCELED);
      EXPECT_GE(kernel_test::res_of(cqes, kCancel), 0);
      return after - before;
    }

   private:
    uring::Ring ring_ = kernel_test::make_ring({.sq_entries = 64, .cq_entries = 8192});
    kernel_test::SocketPair idle_;
    kernel_test::SocketPair busy_;
  };

  // The best time with many that wait, over the best with none.
  template <class Prepare>
  double factor(Prepare prepare) {
    constexpr int kRounds = 50;
    std::uint64_t best_few = UINT64_MAX;
    std::uint64_t best_many = UINT64_MAX;
    for (int i = 0; i < kRounds; ++i) {
      best_few = std::min(best_few, few_.ns_of_a_cancel(prepare));
      best_many = std::min(best_many, many_.ns_of_a_cancel(prepare));
    }
    return static_cast<double>(best_many) / static_cast<double>(best_few);
  }

  Waiting few_{0};
  Waiting many_{kWaiting};
};

void by_descriptor(uring::io_uring_sqe& sqe, int fd) {
  uring::prep_cancel_fd(sqe, fd, uring::IORING_ASYNC_CANCEL_ALL);
}
void by_user_data(uring::io_uring_sqe& sqe, int) {
  uring::prep_cancel(sqe, kTarget, 0);
}

TEST_F(CancelCost, ByDescriptorGrowsWithAllThatWaitsOnTheRing) {
  const double descriptor = factor(by_descriptor);
  const double user_data = factor(by_user_data);
  RecordProperty("by_descriptor", std::to_string(descriptor));
  RecordProperty("by_user_data", std::to_string(user_data));
  EXPECT_GT(descriptor, 5.0);
  EXPECT_LT(user_data, descriptor / 5);
}

}  // namespace
