// The sizes of the queues: rounded up to a power of two, the CQ never smaller than the SQ, and both
// with an upper limit.

#include "common/base/unique_fd.hpp"
#include "common/uring/syscalls.hpp"
#include "tests/kernel/kernel_test.hpp"

namespace {

base::Errno setup_error(std::uint32_t sq_entries, std::uint32_t cq_entries) {
  const auto ring = uring::Ring::create({.sq_entries = sq_entries, .cq_entries = cq_entries},
                                        kernel_test::features());
  return ring ? base::Errno{0} : ring.error();
}

TEST(RingSizes, AreRoundedUpToAPowerOfTwo) {
  NEEDS_FEATURE(Cqsize);
  const uring::Ring ring = kernel_test::make_ring({.sq_entries = 5, .cq_entries = 100});
  EXPECT_EQ(ring.params().sq_entries, 8U);
  EXPECT_EQ(ring.params().cq_entries, 128U);
}

TEST(RingSizes, CqIsTwiceTheSqUnlessAskedFor) {
  // By hand: a Ring always asks.
  uring::io_uring_params params{};
  const auto fd = uring::sys::io_uring_setup(16, params);
  ASSERT_TRUE(fd.has_value());
  const base::UniqueFd owned(*fd);
  EXPECT_EQ(params.sq_entries, 16U);
  EXPECT_EQ(params.cq_entries, 32U);
}

TEST(RingSizes, HaveLimits) {
  NEEDS_FEATURE(Cqsize);
  EXPECT_EQ(setup_error(8, 4).value, EINVAL) << "a CQ smaller than the SQ";
  EXPECT_EQ(setup_error(0, 8).value, EINVAL);
  EXPECT_EQ(setup_error(32768, 65536).value, 0);
  EXPECT_EQ(setup_error(32769, 65536).value, EINVAL);
  EXPECT_EQ(setup_error(32768, 65537).value, EINVAL);
}

}  // namespace
