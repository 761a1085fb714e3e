// The two sizes of a multishot RECV: optlen is how many bytes it may receive in all, len how many
// one completion may bring.

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

struct Received {
  std::int32_t res;
  bool has_more;
  friend bool operator==(const Received&, const Received&) = default;
  friend void PrintTo(const Received& received, std::ostream* out) {
    *out << received.res << (received.has_more ? " and more" : " and no more");
  }
};

class MultishotRecvSizes : public LoopTest {
 protected:
  void SetUp() override {
    NEEDS_FEATURE(MultishotRecv);
    LoopTest::SetUp();
  }

  static uring::ProvidedBuffers make_buffers(uring::Ring& ring) {
    auto buffers = uring::ProvidedBuffers::create(
        ring, kernel_test::features(), {.group = kGroup, .count = 16, .buffer_size = kBufferSize});
    CHECK(buffers.has_value());
    return std::move(*buffers);
  }

  void arm(uring::Ring& ring, std::uint32_t limit, std::uint32_t len = 0) {
    uring::io_uring_sqe& sqe = kernel_test::next(ring, 1);
    uring::prep_recv_multishot(sqe, sockets_.near.get(), kGroup, 0, limit);
    sqe.len = len;
    kernel_test::submit_all(ring);
  }
  void write(std::size_t size) {
    kernel_test::write_text(sockets_.far.get(), std::string(size, 'x'));
  }
  static std::vector<Received> receive(uring::Ring& ring, std::uint32_t count) {
    std::vector<Received> all;
    for (const auto& cqe : kernel_test::collect(ring, count)) {
      all.push_back({cqe.res, (cqe.flags & uring::IORING_CQE_F_MORE) != 0});
    }
    return all;
  }

  kernel_test::TcpPair sockets_;
};
INSTANTIATE_TEST_SUITE_P(On, MultishotRecvSizes, new_ring_kinds(), name_of);

TEST_P(MultishotRecvSizes, OptlenEndsItWithTheCompletionThatReachesIt) {
  NEEDS_FEATURE(MultishotRecvLimit);
  uring::Ring ring = make_ring(4);
  const auto buffers = make_buffers(ring);
  write(5 * kBufferSize);
  arm(ring, 2 * kBufferSize);
  EXPECT_EQ(receive(ring, 2), (std::vector<Received>{{64, true}, {64, false}}));
  EXPECT_TRUE(kernel_test::stays_quiet(ring));
  arm(ring, 2 * kBufferSize + 1);
  EXPECT_EQ(receive(ring, 3), (std::vector<Received>{{64, true}, {64, true}, {64, false}}))
      << "the others were left in the socket, and no completion is cut for the limit";
}

TEST_P(MultishotRecvSizes, OptlenCountsFromOneArrivalToTheNext) {
  NEEDS_FEATURE(MultishotRecvLimit);
  uring::Ring ring = make_ring(4);
  const auto buffers = make_buffers(ring);
  arm(ring, 101);
  for (const bool has_more : {true, true, false}) {
    write(50);
    EXPECT_EQ(receive(ring, 1), (std::vector<Received>{{50, has_more}}));
  }
}

TEST_P(MultishotRecvSizes, LenCutsEachCompletion) {
  NEEDS_FEATURE(MultishotRecvLimit);
  uring::Ring ring = make_ring(4);
  const auto buffers = make_buffers(ring);
  write(50);
  arm(ring, 0, 20);
  EXPECT_EQ(receive(ring, 3), (std::vector<Received>{{20, true}, {20, true}, {10, true}}));
}

TEST_P(MultishotRecvSizes, TogetherTheyEndItAtTheByteIfOneDividesTheOther) {
  NEEDS_FEATURE(MultishotRecvLimit);
  uring::Ring ring = make_ring(4);
  const auto buffers = make_buffers(ring);
  write(100);
  arm(ring, 60, 20);
  EXPECT_EQ(receive(ring, 3), (std::vector<Received>{{20, true}, {20, true}, {20, false}}));
}

TEST_P(MultishotRecvSizes, AreEinvalOnAKernelThatDoesNotKnowThem) {
  if (kernel_test::features().has(uring::Feature::MultishotRecvLimit)) {
    GTEST_SKIP() << "this kernel knows them";
  }
  uring::Ring ring = make_ring(4);
  const auto buffers = make_buffers(ring);
  arm(ring, 150);
  EXPECT_EQ(receive(ring, 1), (std::vector<Received>{{-EINVAL, false}}));
}

}  // namespace
