// Bundles: one RECV or SEND that takes several provided buffers and has one completion, which names
// the first.

#include <string>

#include "common/uring/buffer_ring.hpp"
#include "common/uring/mapped_region.hpp"
#include "common/uring/provided_buffers.hpp"
#include "tests/kernel/loop_test.hpp"
#include "tests/kernel/steps.hpp"
#include "tests/kernel/tcp_pair.hpp"
#include "tests/kernel/test_files.hpp"

namespace {

using namespace loop_test;

constexpr std::uint16_t kGroup = 7;
constexpr std::uint32_t kEntries = 4;
constexpr std::uint32_t kSize = 8;

class Bundle : public LoopTest {
 protected:
  void SetUp() override {
    NEEDS_FEATURE(Bundles);
    LoopTest::SetUp();
  }

  // The buffers with these ids, in this order; buffer i lies at i times its size.
  uring::BufferRing provide(uring::Ring& ring, std::initializer_list<std::uint16_t> ids) {
    uring::io_uring_buf_reg request{};
    request.ring_addr = uring::user_address(memory_.data());
    request.ring_entries = kEntries;
    request.bgid = kGroup;
    CHECK(ring.register_op(uring::IORING_REGISTER_PBUF_RING, &request, 1).has_value());
    uring::BufferRing buffers(memory_.at<uring::io_uring_buf_ring>(0), kEntries);
    for (const std::uint16_t id : ids) {
      buffers.add(buffer(id).data(), kSize, id);
    }
    buffers.publish();
    return buffers;
  }
  std::span<std::byte> buffer(std::uint16_t id) {
    return std::span(bytes_).subspan(id * kSize, kSize);
  }
  void arm_recv(uring::Ring& ring, bool multishot) {
    uring::io_uring_sqe& sqe = kernel_test::next(ring, 1);
    if (multishot) {
      uring::prep_recv_multishot(sqe, sockets_.near.get(), kGroup, 0);
    } else {
      uring::prep_recv_select(sqe, sockets_.near.get(), kGroup, 0);
    }
    sqe.ioprio |= uring::IORING_RECVSEND_BUNDLE;
    kernel_test::submit_all(ring);
  }

  uring::MappedRegion memory_ = *uring::MappedRegion::anonymous(4096);
  std::array<std::byte, kEntries * kSize> bytes_{};
  kernel_test::TcpPair sockets_;
};
INSTANTIATE_TEST_SUITE_P(On, Bundle, new_ring_kinds(), name_of);

TEST_P(Bundle, ARecvFillsSeveralBuffersAndNamesTheFirst) {
  uring::Ring ring = make_ring(4);
  (void)provide(ring, {2, 0, 3, 1});
  kernel_test::write_text(sockets_.far.get(), "AAAAAAAABBBBBBBBCCC");
  arm_recv(ring, false);
  const auto cqe = kernel_test::collect(ring, 1).front();
  EXPECT_EQ(cqe.res, 19);
  EXPECT_EQ(uring::ProvidedBuffers::buffer_id(cqe), 2);
  EXPECT_EQ(kernel_test::as_text(buffer(2)), "AAAAAAAA");
  EXPECT_EQ(kernel_test::as_text(buffer(0)), "BBBBBBBB") << "the next in the ring, not by its id";
  EXPECT_EQ(kernel_test::as_text(buffer(3).first(3)), "CCC");

  kernel_test::write_text(sockets_.far.get(), "D");
  arm_recv(ring, false);
  EXPECT_EQ(uring::ProvidedBuffers::buffer_id(kernel_test::collect(ring, 1).front()), 1)
      << "one that was begun is used up";
}

TEST_P(Bundle, AMultishotThatRunsOutEndsWithItsLastBuffersAndNoEnobufs) {
  uring::Ring ring = make_ring(4);
  (void)provide(ring, {0, 1, 2, 3});
  kernel_test::write_text(sockets_.far.get(), std::string(kEntries * kSize + 1, 'x'));
  arm_recv(ring, true);
  const auto cqe = kernel_test::collect(ring, 1).front();
  EXPECT_EQ(cqe.res, std::int32_t{kEntries * kSize});
  EXPECT_EQ(cqe.flags & uring::IORING_CQE_F_MORE, 0U);
  EXPECT_TRUE(kernel_test::stays_quiet(ring));
}

TEST_P(Bundle, ASendSendsAllThatTheGroupHolds) {
  uring::Ring ring = make_ring(4);
  for (std::uint16_t id = 0; id < kEntries; ++id) {
    std::ranges::fill(buffer(id), static_cast<std::byte>('a' + id));
  }
  (void)provide(ring, {2, 0, 1});
  uring::io_uring_sqe& sqe = kernel_test::next(ring, 1);
  uring::prep_send(sqe, sockets_.near.get(), {}, 0);
  sqe.flags |= uring::IOSQE_BUFFER_SELECT;
  sqe.buf_group = kGroup;
  sqe.ioprio |= uring::IORING_RECVSEND_BUNDLE;
  const auto cqe = kernel_test::collect(ring, 1).front();
  EXPECT_EQ(cqe.res, std::int32_t{3 * kSize});
  EXPECT_EQ(uring::ProvidedBuffers::buffer_id(cqe), 2);
  std::array<std::byte, 64> received{};
  EXPECT_EQ(::recv(sockets_.far.get(), received.data(), received.size(), 0), 3 * kSize);
  EXPECT_EQ(kernel_test::as_text(std::span(received).first(3 * kSize)), "ccccccccaaaaaaaabbbbbbbb");
}

}  // namespace
