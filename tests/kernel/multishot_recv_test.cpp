// A multishot RECV: one request, a completion with a buffer for each arrival, and what ends it.

#include <string>

#include "common/uring/provided_buffers.hpp"
#include "tests/kernel/loop_test.hpp"
#include "tests/kernel/steps.hpp"
#include "tests/kernel/tcp_pair.hpp"
#include "tests/kernel/test_files.hpp"

namespace {

using namespace loop_test;

constexpr std::uint16_t kGroup = 7;
constexpr std::uint32_t kBufferSize = 64;

class MultishotRecv : public LoopTest {
 protected:
  void SetUp() override {
    NEEDS_FEATURE(MultishotRecv);
    LoopTest::SetUp();
  }

  uring::ProvidedBuffers make_buffers(uring::Ring& ring, std::uint32_t count) {
    auto buffers = uring::ProvidedBuffers::create(
        ring, features(), {.group = kGroup, .count = count, .buffer_size = kBufferSize});
    CHECK(buffers.has_value());
    return std::move(*buffers);
  }

  void prep(uring::Ring& ring, std::uint64_t user_data, int msg_flags = 0) {
    uring::prep_recv_multishot(kernel_test::next(ring, user_data), sockets_.near.get(), kGroup,
                               msg_flags);
  }
  void arm(uring::Ring& ring, std::uint64_t user_data) {
    prep(ring, user_data);
    kernel_test::submit_all(ring);
  }

  void write(std::uint32_t whole_buffers) {
    kernel_test::write_text(sockets_.far.get(), std::string(whole_buffers * kBufferSize, 'x'));
  }

  kernel_test::TcpPair sockets_;
};
INSTANTIATE_TEST_SUITE_P(On, MultishotRecv, new_ring_kinds(), name_of);

bool has_more(const io_uring_cqe& cqe) {
  return (cqe.flags & uring::IORING_CQE_F_MORE) != 0;
}
bool has_buffer(const io_uring_cqe& cqe) {
  return (cqe.flags & uring::IORING_CQE_F_BUFFER) != 0;
}

TEST_P(MultishotRecv, OneRequestTakesOneArrivalAfterTheOther) {
  uring::Ring ring = make_ring(4);
  auto buffers = make_buffers(ring, 4);
  arm(ring, 1);
  for (int i = 0; i < 20; ++i) {
    const std::string text = "message " + std::to_string(i);
    kernel_test::write_text(sockets_.far.get(), text);
    const auto cqe = kernel_test::collect(ring, 1).front();
    ASSERT_TRUE(has_buffer(cqe));
    EXPECT_EQ(kernel_test::as_text(buffers.take(cqe)), text);
    EXPECT_TRUE(has_more(cqe));
    buffers.give_back(uring::ProvidedBuffers::buffer_id(cqe));
    ASSERT_TRUE(buffers.publish().has_value());
  }
}

TEST_P(MultishotRecv, OneEnterTakesMuchSoACancelComesTooLate) {
  constexpr std::uint32_t kBuffers = 32;
  uring::Ring ring = make_ring(4, 128);
  const auto buffers = make_buffers(ring, 128);
  arm(ring, 1);
  ASSERT_TRUE(kernel_test::stays_quiet(ring));
  write(kBuffers);
  ASSERT_TRUE(ring.submit_and_wait(1).has_value());
  EXPECT_EQ(ring.cq().ready(), kBuffers) << "it waited for one";
  uring::prep_cancel(kernel_test::next(ring, 2), 1, 0);
  const auto cqes = kernel_test::collect(ring, kBuffers + 2);
  EXPECT_EQ(kernel_test::res_of(cqes, 2), 0) << "it was cancelled";
  for (std::uint32_t i = 0; i < kBuffers; ++i) {
    EXPECT_EQ(cqes[i].res, std::int32_t{kBufferSize}) << "and that kept nothing back";
  }
}

class MultishotRecvTurn : public MultishotRecv {};
INSTANTIATE_TEST_SUITE_P(On, MultishotRecvTurn, testing::Values(kDefer), name_of);

// Behind so many completions of one request the kernel looks after the others. On a ring that does
// not defer, the next turn may be part of the same enter.
TEST_P(MultishotRecvTurn, EndsBehind33Buffers) {
  NEEDS_LINUX(6, 8, "it takes all that there is");
  if (kernel_test::is_linux(7, 0)) {
    GTEST_SKIP() << "a turn may take more: 7.2 has taken all 64";
  }
  uring::Ring ring = make_ring(4, 128);
  const auto buffers = make_buffers(ring, 128);
  arm(ring, 1);
  ASSERT_TRUE(kernel_test::stays_quiet(ring));
  write(64);
  ASSERT_TRUE(ring.submit_and_wait(1).has_value());
  EXPECT_EQ(ring.cq().ready(), 33U);
  uring::prep_cancel(kernel_test::next(ring, 2), 1, 0);
  auto cqes = kernel_test::collect(ring, 35);
  cqes.erase(cqes.begin(), cqes.begin() + 33);
  EXPECT_EQ(kernel_test::res_of(cqes, 2), 0);
  EXPECT_EQ(kernel_test::res_of(cqes, 1), -ECANCELED) << "in time for the rest";
}

TEST_P(MultishotRecv, EndsWithEnobufsAndLeavesTheRestInTheSocket) {
  uring::Ring ring = make_ring(4);
  auto buffers = make_buffers(ring, 2);
  arm(ring, 1);
  write(3);
  const auto cqes = kernel_test::collect(ring, 3);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(buffers.take(cqes[i]).size(), kBufferSize);
    EXPECT_TRUE(has_more(cqes[i]));
  }
  EXPECT_EQ(cqes[2].res, -ENOBUFS);
  EXPECT_FALSE(has_buffer(cqes[2]));
  EXPECT_FALSE(has_more(cqes[2]));

  buffers.give_back(0);
  ASSERT_TRUE(buffers.publish().has_value());
  EXPECT_TRUE(kernel_test::stays_quiet(ring)) << "a buffer does not bring it back to life";
  arm(ring, 2);
  const auto cqe = kernel_test::collect(ring, 1).front();
  EXPECT_EQ(cqe.res, std::int32_t{kBufferSize});
  EXPECT_TRUE(has_more(cqe)) << "it had one, and only the next arrival will miss one";
}

TEST_P(MultishotRecv, WithoutABufferItEndsAtOnceThoughNothingHasArrived) {
  NEEDS_LINUX(6, 12, "it waits for bytes first");
  uring::Ring ring = make_ring(4);
  auto buffers = make_buffers(ring, 1);
  arm(ring, 1);
  write(1);
  (void)buffers.take(kernel_test::collect(ring, 1).front());
  uring::prep_cancel(kernel_test::next(ring, 2), 1, 0);
  (void)kernel_test::collect(ring, 2);

  arm(ring, 3);
  const auto cqe = kernel_test::collect(ring, 1).front();
  EXPECT_EQ(cqe.res, -ENOBUFS);
  EXPECT_FALSE(has_more(cqe));
}

TEST_P(MultishotRecv, TheEndOfTheConnectionEndsItWithoutABuffer) {
  uring::Ring ring = make_ring(4);
  auto buffers = make_buffers(ring, 2);
  arm(ring, 1);
  write(1);
  ASSERT_EQ(::shutdown(sockets_.far.get(), SHUT_WR), 0);
  const auto cqes = kernel_test::collect(ring, 2);
  EXPECT_EQ(buffers.take(cqes[0]).size(), kBufferSize);
  EXPECT_TRUE(has_more(cqes[0]));
  EXPECT_EQ(cqes[1].res, 0);
  EXPECT_FALSE(has_buffer(cqes[1]));
  EXPECT_FALSE(has_more(cqes[1]));

  // Whoever gave "the buffer" back would give back one that the kernel still has.
  const kernel_test::TcpPair others;
  uring::prep_recv_select(kernel_test::next(ring, 2), others.near.get(), kGroup, 0);
  kernel_test::write_text(others.far.get(), "x");
  const auto next = kernel_test::collect(ring, 1).front();
  ASSERT_TRUE(has_buffer(next));
  EXPECT_EQ(uring::ProvidedBuffers::buffer_id(next), 1);
}

TEST_P(MultishotRecv, AResetEndsItWithoutABuffer) {
  uring::Ring ring = make_ring(4);
  const auto buffers = make_buffers(ring, 2);
  arm(ring, 1);
  ASSERT_TRUE(kernel_test::stays_quiet(ring));
  kernel_test::reset(sockets_.far);
  const auto cqe = kernel_test::collect(ring, 1).front();
  EXPECT_EQ(cqe.res, -ECONNRESET);
  EXPECT_FALSE(has_buffer(cqe));
  EXPECT_FALSE(has_more(cqe));
}

// Nobody reaps, and the CQ has four places. The completion that finds no place is kept, as every one
// is, and it is the last.
TEST_P(MultishotRecv, EndsWhenTheCqIsFullAndItsLastCompletionBringsBytes) {
  constexpr std::uint32_t kPlaces = 4;
  uring::Ring ring = make_ring(2, kPlaces);
  auto buffers = make_buffers(ring, 16);
  std::string text;
  for (char c = 'a'; c < 'i'; ++c) {
    text += std::string(kBufferSize, c);
  }
  kernel_test::write_text(sockets_.far.get(), text);
  std::string received;
  arm(ring, 1);
  const auto cqes = kernel_test::collect(ring, kPlaces + 1);
  for (std::size_t i = 0; i < cqes.size(); ++i) {
    ASSERT_TRUE(has_buffer(cqes[i]));
    received += kernel_test::as_text(buffers.take(cqes[i]));
    EXPECT_EQ(has_more(cqes[i]), i < kPlaces);
  }
  EXPECT_TRUE(kernel_test::stays_quiet(ring)) << "the others stay in the socket";
  arm(ring, 2);
  for (const auto& cqe : kernel_test::collect(ring, 3)) {
    received += kernel_test::as_text(buffers.take(cqe));
  }
  EXPECT_EQ(received, text);
  EXPECT_EQ(ring.cq().overflow(), 0U);
}

TEST_P(MultishotRecv, SaysWhetherTheSocketHoldsMore) {
  uring::Ring ring = make_ring(4);
  const auto buffers = make_buffers(ring, 4);
  write(3);
  arm(ring, 1);
  const auto cqes = kernel_test::collect(ring, 3);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ((cqes[i].flags & uring::IORING_CQE_F_SOCK_NONEMPTY) != 0, i < 2)
        << "completion " << i;
  }
}

TEST_P(MultishotRecv, GoesOnWhenTheDescriptorIsClosed) {
  uring::Ring ring = make_ring(4);
  const auto buffers = make_buffers(ring, 4);
  arm(ring, 1);
  ASSERT_TRUE(kernel_test::stays_quiet(ring));
  sockets_.near.reset();
  EXPECT_TRUE(kernel_test::stays_quiet(ring));
  EXPECT_EQ(kernel_test::await(sockets_.far.get(), POLLIN | POLLRDHUP, 20), 0)
      << "the other side sees no end";
  for (int i = 0; i < 2; ++i) {
    write(1);
    const auto cqe = kernel_test::collect(ring, 1).front();
    EXPECT_EQ(cqe.res, std::int32_t{kBufferSize});
    EXPECT_TRUE(has_more(cqe));
  }
  uring::prep_cancel(kernel_test::next(ring, 2), 1, 0);
  (void)kernel_test::collect(ring, 2);
  EXPECT_TRUE(kernel_test::sees_the_end(sockets_.far.get()));
}

TEST_P(MultishotRecv, ACancelIsItsLastCompletionAndBringsNoBuffer) {
  uring::Ring ring = make_ring(4);
  const auto buffers = make_buffers(ring, 4);
  arm(ring, 1);
  uring::prep_cancel(kernel_test::next(ring, 2), 1, 0);
  for (const auto& cqe : kernel_test::collect(ring, 2)) {
    EXPECT_EQ(cqe.res, cqe.user_data == 1 ? -ECANCELED : 0);
    EXPECT_FALSE(has_buffer(cqe));
    EXPECT_FALSE(has_more(cqe));
  }
  write(1);
  EXPECT_TRUE(kernel_test::stays_quiet(ring));
}

TEST_P(MultishotRecv, HasNoWaitall) {
  uring::Ring ring = make_ring(4);
  const auto buffers = make_buffers(ring, 4);
  prep(ring, 1, MSG_WAITALL);
  EXPECT_EQ(kernel_test::collect(ring, 1).front().res, -EINVAL);
}

TEST_P(MultishotRecv, NeedsProvidedBuffers) {
  uring::Ring ring = make_ring(4);
  std::array<std::byte, kBufferSize> own{};
  uring::io_uring_sqe& sqe = kernel_test::next(ring, 1);
  uring::prep_recv(sqe, sockets_.near.get(), own, 0);
  sqe.ioprio |= uring::IORING_RECV_MULTISHOT;
  EXPECT_EQ(kernel_test::collect(ring, 1).front().res, -EINVAL);
}

}  // namespace
