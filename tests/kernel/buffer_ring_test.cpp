// The ring of provided buffers: which buffer comes next, and what the entries may say.

#include "common/uring/buffer_ring.hpp"

#include <string>
#include <vector>

#include "common/uring/mapped_region.hpp"
#include "common/uring/provided_buffers.hpp"
#include "tests/kernel/kernel_test.hpp"
#include "tests/kernel/test_files.hpp"

namespace {

constexpr std::uint16_t kGroup = 7;
constexpr std::uint32_t kEntries = 4;

base::Result<int> register_ring(uring::Ring& ring, std::uint64_t address, std::uint32_t entries,
                                std::uint16_t flags = 0) {
  uring::io_uring_buf_reg request{};
  request.ring_addr = address;
  request.ring_entries = entries;
  request.bgid = kGroup;
  request.flags = flags;
  return ring.register_op(uring::IORING_REGISTER_PBUF_RING, &request, 1);
}

// Its entries are written by hand: addresses, sizes and ids as a test likes.
class BufferRing : public testing::Test {
 protected:
  void SetUp() override { NEEDS_FEATURE(BufferRing); }

  uring::BufferRing make(std::uint16_t flags = 0) {
    EXPECT_TRUE(register_ring(ring_, uring::user_address(memory_.data()), kEntries, flags));
    return {memory_.at<uring::io_uring_buf_ring>(0), kEntries};
  }

  void send(std::string_view text) { kernel_test::write_text(sockets_.far.get(), text); }
  uring::io_uring_cqe recv() {
    return kernel_test::run_one(ring_, [&](uring::io_uring_sqe& sqe) {
      uring::prep_recv_select(sqe, sockets_.near.get(), kGroup, 0);
    });
  }
  uring::io_uring_cqe recv(std::string_view text) {
    send(text);
    return recv();
  }

  // Its place in the ring's order: how many buffers the kernel has taken in all.
  std::uint32_t head() {
    uring::io_uring_buf_status status{};
    status.buf_group = kGroup;
    EXPECT_TRUE(ring_.register_op(uring::IORING_REGISTER_PBUF_STATUS, &status, 1));
    return status.head;
  }

  uring::MappedRegion memory_ = *uring::MappedRegion::anonymous(4096);
  std::array<std::byte, 256> bytes_{};
  uring::Ring ring_ = kernel_test::make_ring();
  kernel_test::SocketPair sockets_;
};

std::uint16_t id_of(const uring::io_uring_cqe& cqe) {
  EXPECT_NE(cqe.flags & uring::IORING_CQE_F_BUFFER, 0U) << "res " << cqe.res;
  return uring::ProvidedBuffers::buffer_id(cqe);
}

TEST_F(BufferRing, IsUsedInTheOrderOfItsEntriesAndTheIdsAreOurs) {
  uring::BufferRing buffers = make();
  const std::vector<std::uint16_t> ids{40'000, 7, 65'535, 0};
  for (const std::uint16_t id : ids) {
    buffers.add(bytes_.data(), 64, id);
  }
  buffers.publish();
  for (const std::uint16_t id : ids) {
    EXPECT_EQ(id_of(recv("x")), id);
  }
  EXPECT_EQ(recv("x").res, -ENOBUFS) << "all four places held a buffer";
}

TEST_F(BufferRing, TheNextBufferIsTakenWhateverItsSize) {
  uring::BufferRing buffers = make();
  buffers.add(bytes_.data(), 10, 0);
  buffers.add(bytes_.data(), 200, 1);
  buffers.publish();
  const auto small = recv(std::string(100, 'x'));
  EXPECT_EQ(id_of(small), 0);
  EXPECT_EQ(small.res, 10) << "not the one that all of it would have gone into";
  const auto large = recv();
  EXPECT_EQ(id_of(large), 1);
  EXPECT_EQ(large.res, 90);
}

TEST_F(BufferRing, ItsTailGoesOnBehind65535) {
  constexpr std::uint32_t kRounds = 70'000;
  uring::BufferRing buffers = make();
  std::array<std::byte, 1> byte{};
  for (std::uint32_t i = 0; i < kRounds; ++i) {
    const auto id = static_cast<std::uint16_t>(i * 7);
    buffers.add(byte.data(), 1, id);
    buffers.publish();
    const auto cqe = recv("x");
    ASSERT_EQ(cqe.res, 1) << "round " << i;
    ASSERT_EQ(id_of(cqe), id) << "round " << i;
  }
}

TEST_F(BufferRing, TellsHowManyBuffersWereTaken) {
  NEEDS_LINUX(6, 8, "there is no PBUF_STATUS");
  uring::BufferRing buffers = make();
  buffers.add(bytes_.data(), 64, 0);
  buffers.add(bytes_.data(), 64, 1);
  buffers.publish();
  EXPECT_EQ(head(), 0U);

  uring::io_uring_sqe* sqe = ring_.next_sqe();
  uring::prep_recv_select(*sqe, sockets_.near.get(), kGroup, 0);
  ASSERT_TRUE(ring_.submit().has_value());
  ASSERT_TRUE(kernel_test::is_quiet(ring_));
  EXPECT_EQ(head(), 0U) << "one that waits has taken none";
  send("x");
  EXPECT_EQ(id_of(kernel_test::collect(ring_, 1).front()), 0);
  EXPECT_EQ(head(), 1U);
}

TEST_F(BufferRing, CanBeUsedUpPieceByPiece) {
  NEEDS_FEATURE(BufferRingInc);
  uring::BufferRing buffers = make(uring::IOU_PBUF_RING_INC);
  buffers.add(bytes_.data(), 8, 5);
  buffers.add(bytes_.data() + 8, 8, 6);
  buffers.publish();
  const auto first = recv("abc");
  EXPECT_EQ(id_of(first), 5);
  EXPECT_NE(first.flags & uring::IORING_CQE_F_BUF_MORE, 0U);
  const auto second = recv("defgh");
  EXPECT_EQ(id_of(second), 5) << "the same buffer, behind the first three bytes";
  EXPECT_EQ(second.flags & uring::IORING_CQE_F_BUF_MORE, 0U) << "it is full";
  EXPECT_EQ(id_of(recv("i")), 6);
  EXPECT_EQ(kernel_test::as_text(std::span(bytes_).first(9)), "abcdefghi");
}

TEST_F(BufferRing, HasAPowerOfTwoOfEntriesUpTo32768OnWholePages) {
  const auto memory = uring::MappedRegion::anonymous(65'536 * sizeof(uring::io_uring_buf));
  const std::uint64_t address = uring::user_address(memory->data());
  EXPECT_EQ(register_ring(ring_, address, 3).error().value, EINVAL);
  EXPECT_EQ(register_ring(ring_, address, 65'536).error().value, EINVAL);
  EXPECT_EQ(register_ring(ring_, address + sizeof(uring::io_uring_buf), 4).error().value, EINVAL);
  EXPECT_TRUE(register_ring(ring_, address, 32'768).has_value());
  EXPECT_EQ(register_ring(ring_, address, 32'768).error().value, EEXIST) << "the group is taken";
}

}  // namespace
