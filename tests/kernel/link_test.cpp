// Chains of links: what breaks one, what each member's completion says, and when it comes.

#include <algorithm>
#include <string_view>

#include "common/base/unique_fd.hpp"
#include "tests/kernel/kernel_test.hpp"
#include "tests/kernel/steps.hpp"
#include "tests/kernel/test_files.hpp"

namespace {

using kernel_test::next;
using kernel_test::res_of;

constexpr std::int64_t kMs = 1'000'000;

void prep_failing(uring::io_uring_sqe& sqe) {
  static std::array<std::byte, 1> byte;
  uring::prep_read(sqe, -1, byte, 0);  // EBADF when it is issued
}

TEST(Link, AFailedChainHasOneCompletionPerSqe) {
  NEEDS_LINUX(6, 1, "a bad descriptor is found at submission and ends the chain before it starts");
  uring::Ring ring = kernel_test::make_ring();
  ASSERT_TRUE(ring.sq().begin_chain(4));
  uring::prep_nop(next(ring, 1));
  prep_failing(next(ring, 2));
  uring::prep_nop(next(ring, 3));
  uring::prep_nop(next(ring, 4));
  const auto cqes = kernel_test::collect(ring, 4);
  EXPECT_EQ(res_of(cqes, 1), 0);
  EXPECT_EQ(res_of(cqes, 2), -EBADF);
  EXPECT_EQ(res_of(cqes, 3), -ECANCELED);
  EXPECT_EQ(res_of(cqes, 4), -ECANCELED);
  EXPECT_TRUE(kernel_test::is_quiet(ring));
}

TEST(Link, AHardlinkGoesOnAfterAFailure) {
  NEEDS_LINUX(6, 1, "a bad descriptor is found at submission and ends the chain before it starts");
  uring::Ring ring = kernel_test::make_ring();
  ASSERT_TRUE(ring.sq().begin_chain(2, uring::IOSQE_IO_HARDLINK));
  prep_failing(next(ring, 1));
  uring::prep_nop(next(ring, 2));
  const auto cqes = kernel_test::collect(ring, 2);
  EXPECT_EQ(res_of(cqes, 1), -EBADF);
  EXPECT_EQ(res_of(cqes, 2), 0);
}

TEST(Link, CqeSkipOnTheFailingRequestSuppressesTheRest) {
  NEEDS_FEATURE(CqeSkip);
  uring::Ring ring = kernel_test::make_ring();
  ASSERT_TRUE(ring.sq().begin_chain(3));
  auto& failing = next(ring, 1);
  prep_failing(failing);
  failing.flags |= uring::IOSQE_CQE_SKIP_SUCCESS;
  uring::prep_nop(next(ring, 2));
  uring::prep_nop(next(ring, 3));
  const auto cqes = kernel_test::collect(ring, 1);
  EXPECT_EQ(res_of(cqes, 1), -EBADF) << "a failure is reported all the same";
  EXPECT_TRUE(kernel_test::is_quiet(ring)) << "the cancelled links are not";
}

TEST(Link, ABadOpcodeInTheMiddleKillsAHardlinkedChainToo) {
  NEEDS_FEATURE(SubmitAll);
  uring::Ring ring = kernel_test::make_ring({.setup_flags = uring::IORING_SETUP_SUBMIT_ALL});
  ASSERT_TRUE(ring.sq().begin_chain(3, uring::IOSQE_IO_HARDLINK));
  uring::prep_nop(next(ring, 1));
  next(ring, 2).opcode = 0xff;
  uring::prep_nop(next(ring, 3));
  const auto cqes = kernel_test::collect(ring, 3);
  EXPECT_EQ(res_of(cqes, 1), -ECANCELED) << "it had not even started";
  EXPECT_EQ(res_of(cqes, 2), -EINVAL);
  EXPECT_EQ(res_of(cqes, 3), -ECANCELED);
}

TEST(Link, CompletionsComeAsEachStepEnds) {
  uring::Ring ring = kernel_test::make_ring();
  const __kernel_timespec time = uring::to_timespec(20 * kMs);
  ASSERT_TRUE(ring.sq().begin_chain(2));
  uring::prep_nop(next(ring, 1));
  // ETIME_SUCCESS (5.16) or not, this chain's second step is its last: nothing to break.
  uring::prep_timeout(next(ring, 2), &time, 0, 0);
  ASSERT_TRUE(ring.submit().has_value());
  ASSERT_TRUE(ring.get_events().has_value());
  ASSERT_EQ(ring.cq().ready(), 1U) << "the chain runs on, its first completion is there";
  EXPECT_EQ(ring.cq().at(0).user_data, 1U);
  EXPECT_EQ(kernel_test::collect(ring, 2).back().res, -ETIME);
}

TEST(Link, DoesNotSpanTwoSubmits) {
  uring::Ring ring = kernel_test::make_ring();
  auto& last_of_first_submit = next(ring, 1);
  prep_failing(last_of_first_submit);
  last_of_first_submit.flags |= uring::IOSQE_IO_LINK;  // by hand: begin_chain() forbids it
  ASSERT_TRUE(ring.submit().has_value());
  uring::prep_nop(next(ring, 2));
  const auto cqes = kernel_test::collect(ring, 2);
  EXPECT_EQ(res_of(cqes, 1), -EBADF);
  EXPECT_EQ(res_of(cqes, 2), 0) << "it was no part of the chain";
}

TEST(Link, AShortReadBreaksIt) {
  uring::Ring ring = kernel_test::make_ring();
  const base::UniqueFd file = kernel_test::make_file("abc");
  std::array<std::byte, 8> buffer{};
  ASSERT_TRUE(ring.sq().begin_chain(2));
  uring::prep_read(next(ring, 1), file.get(), buffer, 0);
  uring::prep_nop(next(ring, 2));
  const auto cqes = kernel_test::collect(ring, 2);
  EXPECT_EQ(res_of(cqes, 1), 3);
  EXPECT_EQ(res_of(cqes, 2), -ECANCELED);
}

TEST(Link, AShortRecvDoesNot) {
  uring::Ring ring = kernel_test::make_ring();
  const kernel_test::SocketPair sockets;
  kernel_test::write_text(sockets.far.get(), "abc");
  std::array<std::byte, 8> buffer{};
  ASSERT_TRUE(ring.sq().begin_chain(2));
  uring::prep_recv(next(ring, 1), sockets.near.get(), buffer, 0);
  uring::prep_nop(next(ring, 2));
  const auto cqes = kernel_test::collect(ring, 2);
  EXPECT_EQ(res_of(cqes, 1), 3);
  EXPECT_EQ(res_of(cqes, 2), 0);
}

TEST(Link, ARecvWithWaitallDoesWhenThePeerCloses) {
  NEEDS_LINUX(5, 15, "a RECV with MSG_WAITALL may return early");
  uring::Ring ring = kernel_test::make_ring();
  kernel_test::SocketPair sockets;
  kernel_test::write_text(sockets.far.get(), "abc");
  std::array<std::byte, 8> buffer{};
  ASSERT_TRUE(ring.sq().begin_chain(2));
  uring::prep_recv(next(ring, 1), sockets.near.get(), buffer, MSG_WAITALL);
  uring::prep_nop(next(ring, 2));
  ASSERT_TRUE(ring.submit().has_value());
  EXPECT_TRUE(kernel_test::is_quiet(ring)) << "it waits for all eight";
  sockets.far.reset();
  const auto cqes = kernel_test::collect(ring, 2);
  EXPECT_EQ(res_of(cqes, 1), 3);
  EXPECT_EQ(res_of(cqes, 2), -ECANCELED);
}

}  // namespace
