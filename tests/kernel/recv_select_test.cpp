// When a RECV that chooses from a group of buffers takes one.

#include "common/uring/provided_buffers.hpp"
#include "tests/kernel/loop_test.hpp"
#include "tests/kernel/steps.hpp"
#include "tests/kernel/tcp_pair.hpp"
#include "tests/kernel/test_files.hpp"

namespace {

using namespace loop_test;

constexpr std::uint16_t kGroup = 7;

class RecvSelect : public LoopTest {
 protected:
  void SetUp() override {
    NEEDS_FEATURE(BufferRing);
    LoopTest::SetUp();
  }

  uring::ProvidedBuffers make_one_buffer(uring::Ring& ring) {
    auto buffers = uring::ProvidedBuffers::create(ring, features(),
                                                  {.group = kGroup, .count = 1, .buffer_size = 64});
    CHECK(buffers.has_value());
    return std::move(*buffers);
  }

  static void prep(uring::Ring& ring, std::uint64_t user_data, const kernel_test::TcpPair& sockets,
                   int msg_flags = 0) {
    uring::prep_recv_select(kernel_test::next(ring, user_data), sockets.near.get(), kGroup,
                            msg_flags);
  }

  kernel_test::TcpPair first_;
  kernel_test::TcpPair second_;
};
INSTANTIATE_TEST_SUITE_P(On, RecvSelect, new_ring_kinds(), name_of);

TEST_P(RecvSelect, OneThatWaitsHoldsNoBuffer) {
  uring::Ring ring = make_ring(4);
  auto buffers = make_one_buffer(ring);
  prep(ring, 1, first_);
  prep(ring, 2, second_);
  EXPECT_TRUE(kernel_test::stays_quiet(ring)) << "one buffer is enough for two to wait for";
  kernel_test::write_text(second_.far.get(), "to the second");
  const auto cqe = kernel_test::collect(ring, 1).front();
  EXPECT_EQ(cqe.user_data, 2U);
  EXPECT_EQ(kernel_test::as_text(buffers.take(cqe)), "to the second");

  // Both passed the first look at the group. The second look is when the bytes are there.
  kernel_test::write_text(first_.far.get(), "to the first");
  EXPECT_EQ(kernel_test::collect(ring, 1).front().res, -ENOBUFS);
}

TEST_P(RecvSelect, WithDontwaitEagainTakesNoBuffer) {
  NEEDS_LINUX(6, 12, "EAGAIN takes a buffer along, which no completion names again");
  uring::Ring ring = make_ring(4);
  auto buffers = make_one_buffer(ring);
  prep(ring, 1, first_, MSG_DONTWAIT);
  const auto none = kernel_test::collect(ring, 1).front();
  EXPECT_EQ(none.res, -EAGAIN);
  EXPECT_EQ(none.flags & uring::IORING_CQE_F_BUFFER, 0U);

  kernel_test::write_text(first_.far.get(), "now");
  prep(ring, 2, first_, MSG_DONTWAIT);
  EXPECT_EQ(kernel_test::as_text(buffers.take(kernel_test::collect(ring, 1).front())), "now");
}

TEST_P(RecvSelect, WithoutABufferItIsEnobufsAtOnceThoughNothingHasArrived) {
  NEEDS_LINUX(6, 12, "without MSG_DONTWAIT it may wait for bytes first");
  uring::Ring ring = make_ring(4);
  auto buffers = make_one_buffer(ring);
  kernel_test::write_text(first_.far.get(), "x");
  prep(ring, 1, first_);
  (void)buffers.take(kernel_test::collect(ring, 1).front());
  for (const int msg_flags : {0, int{MSG_DONTWAIT}}) {
    prep(ring, 2, first_, msg_flags);
    EXPECT_EQ(kernel_test::collect(ring, 1).front().res, -ENOBUFS) << "flags " << msg_flags;
  }
}

// So a thousand silent clients have a thousand buffers: see network_server::ReceiveForm::PollFirst.
class RecvSelectOfOldKernels : public RecvSelect {
 protected:
  void SetUp() override {
    if (kernel_test::is_linux(5, 18)) {
      GTEST_SKIP() << "from Linux 5.18 on it holds none";
    }
    LoopTest::SetUp();
  }
};
INSTANTIATE_TEST_SUITE_P(On, RecvSelectOfOldKernels, testing::Values(kPlain), name_of);

TEST_P(RecvSelectOfOldKernels, OneThatWaitsHoldsABuffer) {
  uring::Ring ring = make_ring(4);
  const auto buffers = make_one_buffer(ring);
  prep(ring, 1, first_);
  prep(ring, 2, second_);
  const auto cqe = kernel_test::collect(ring, 1).front();
  EXPECT_EQ(cqe.user_data, 2U);
  EXPECT_EQ(cqe.res, -ENOBUFS) << "the first one has it, and waits";
}

}  // namespace
