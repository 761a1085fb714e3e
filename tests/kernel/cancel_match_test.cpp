// What a cancel finds: by user_data, by descriptor, or anything at all; one or all; and what its
// number counts.

#include <unistd.h>

#include "tests/kernel/loop_test.hpp"
#include "tests/kernel/steps.hpp"
#include "tests/kernel/test_files.hpp"

namespace {

using namespace loop_test;

constexpr std::uint64_t kCancel = 99;

class CancelMatch : public LoopTest {
 protected:
  void SetUp() override {
    NEEDS_FEATURE(CancelFd);
    LoopTest::SetUp();
  }

  void arm_recv(uring::Ring& ring, std::uint64_t user_data,
                const kernel_test::SocketPair& sockets) {
    uring::prep_recv(kernel_test::next(ring, user_data), sockets.near.get(), buffer_, 0);
    kernel_test::submit_all(ring);
  }

  // The cancel's own result; how many others completed, all of them cancelled.
  struct Ended {
    std::int32_t res;
    int cancelled;
    friend bool operator==(const Ended&, const Ended&) = default;
    friend void PrintTo(const Ended& ended, std::ostream* out) {
      *out << "res " << ended.res << ", " << ended.cancelled << " cancelled";
    }
  };
  static Ended ended(uring::Ring& ring) {
    Ended result{.res = -EIO, .cancelled = 0};
    EXPECT_TRUE(ring.submit_and_wait(1).has_value());
    EXPECT_TRUE(ring.get_events().has_value());
    std::array<io_uring_cqe, 16> cqes;
    const std::uint32_t count = ring.reap(cqes);
    for (std::uint32_t i = 0; i < count; ++i) {
      if (cqes[i].user_data == kCancel) {
        result.res = cqes[i].res;
      } else {
        EXPECT_EQ(cqes[i].res, -ECANCELED);
        ++result.cancelled;
      }
    }
    EXPECT_TRUE(kernel_test::is_quiet(ring));
    return result;
  }

  Ended cancel(uring::Ring& ring, std::uint64_t user_data, std::uint32_t flags) {
    uring::prep_cancel(kernel_test::next(ring, kCancel), user_data, flags);
    return ended(ring);
  }
  Ended cancel_fd(uring::Ring& ring, int fd, std::uint32_t flags) {
    uring::prep_cancel_fd(kernel_test::next(ring, kCancel), fd, flags);
    return ended(ring);
  }

  std::array<std::byte, 8> buffer_{};
  kernel_test::SocketPair first_;
  kernel_test::SocketPair second_;
};
INSTANTIATE_TEST_SUITE_P(On, CancelMatch, new_ring_kinds(), name_of);

TEST_P(CancelMatch, ByUserDataItTakesOneUnlessAskedForAll) {
  uring::Ring ring = make_ring(8);
  arm_recv(ring, 1, first_);
  arm_recv(ring, 1, first_);
  arm_recv(ring, 1, second_);
  EXPECT_EQ(cancel(ring, 1, 0), (Ended{0, 1}));
  EXPECT_EQ(cancel(ring, 1, uring::IORING_ASYNC_CANCEL_ALL), (Ended{2, 2}));
  EXPECT_EQ(cancel(ring, 1, 0), (Ended{-ENOENT, 0}));
  EXPECT_EQ(cancel(ring, 1, uring::IORING_ASYNC_CANCEL_ALL), (Ended{0, 0})) << "none is no error";
}

TEST_P(CancelMatch, ByDescriptorItTakesOneUnlessAskedForAll) {
  uring::Ring ring = make_ring(8);
  arm_recv(ring, 1, first_);
  arm_recv(ring, 2, first_);
  arm_recv(ring, 3, first_);
  arm_recv(ring, 4, second_);
  EXPECT_EQ(cancel_fd(ring, first_.near.get(), 0), (Ended{0, 1}));
  EXPECT_EQ(cancel_fd(ring, first_.near.get(), uring::IORING_ASYNC_CANCEL_ALL), (Ended{2, 2}));
  EXPECT_EQ(cancel_fd(ring, first_.near.get(), 0), (Ended{-ENOENT, 0}));
}

TEST_P(CancelMatch, OfAnythingTakesAllWithoutBeingAskedForAll) {
  uring::Ring ring = make_ring(8);
  arm_recv(ring, 1, first_);
  arm_recv(ring, 2, first_);
  arm_recv(ring, 3, second_);
  EXPECT_EQ(cancel(ring, 0, uring::IORING_ASYNC_CANCEL_ANY), (Ended{3, 3}));
}

TEST_P(CancelMatch, ByDescriptorItLooksForTheFileAndNotForTheNumber) {
  uring::Ring ring = make_ring(8);
  arm_recv(ring, 1, first_);
  const int number = first_.near.get();
  const base::UniqueFd same_file(::dup(number));
  ASSERT_EQ(::dup2(second_.near.get(), number), number);  // the number is another file's now
  arm_recv(ring, 2, second_);
  EXPECT_EQ(cancel_fd(ring, number, uring::IORING_ASYNC_CANCEL_ALL), (Ended{1, 1}));
  arm_recv(ring, 3, second_);
  EXPECT_EQ(cancel_fd(ring, same_file.get(), uring::IORING_ASYNC_CANCEL_ALL), (Ended{1, 1}))
      << "the first RECV: it keeps the file that it began with";
}

}  // namespace
