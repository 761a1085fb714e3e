// MSG_DONTWAIT on a SEND: what does not go in at once is not waited for. Without it the SEND waits.

#include "tests/kernel/loop_test.hpp"
#include "tests/kernel/steps.hpp"
#include "tests/kernel/tcp_pair.hpp"

namespace {

using namespace loop_test;

class SendDontwait : public LoopTest {
 protected:
  void prep_send(uring::Ring& ring, int msg_flags) {
    uring::prep_send(kernel_test::next(ring, 1), sockets_.near.get(), bytes_, msg_flags);
    kernel_test::submit_all(ring);
  }

  // The peer reads until the request that waits has completed.
  std::int32_t res_when_the_peer_reads(uring::Ring& ring) {
    for (int i = 0; i < 1'000 && kernel_test::stays_quiet(ring); ++i) {
      kernel_test::drain(sockets_.far.get());
    }
    return kernel_test::collect(ring, 1).front().res;
  }

  std::vector<std::byte> bytes_ = std::vector<std::byte>(4 * 1024 * 1024);
  kernel_test::TcpPair sockets_;
};
INSTANTIATE_TEST_SUITE_P(On, SendDontwait, all_ring_kinds(), name_of);

TEST_P(SendDontwait, IsEagainAtOnceOnAFullSocket) {
  uring::Ring ring = make_ring(4);
  kernel_test::fill(sockets_.near.get());
  prep_send(ring, MSG_DONTWAIT);
  EXPECT_EQ(kernel_test::collect(ring, 1).front().res, -EAGAIN);
}

TEST_P(SendDontwait, WithoutItTheSendWaits) {
  uring::Ring ring = make_ring(4);
  kernel_test::fill(sockets_.near.get());
  prep_send(ring, 0);
  EXPECT_TRUE(kernel_test::stays_quiet(ring));
  EXPECT_GT(res_when_the_peer_reads(ring), 0);
}

TEST_P(SendDontwait, SendsWhatHasRoomAndIsShort) {
  uring::Ring ring = make_ring(4);
  prep_send(ring, MSG_DONTWAIT);
  const std::int32_t sent = kernel_test::collect(ring, 1).front().res;
  EXPECT_GT(sent, 0);
  EXPECT_LT(sent, static_cast<std::int32_t>(bytes_.size()));
}

TEST_P(SendDontwait, APollTellsWhenThereIsRoomAgain) {
  uring::Ring ring = make_ring(4);
  kernel_test::fill(sockets_.near.get());
  uring::prep_poll_add(kernel_test::next(ring, 2), sockets_.near.get(), POLLOUT);
  kernel_test::submit_all(ring);
  EXPECT_TRUE(kernel_test::stays_quiet(ring)) << "full";
  EXPECT_EQ(res_when_the_peer_reads(ring) & POLLOUT, POLLOUT);
  prep_send(ring, MSG_DONTWAIT);
  EXPECT_GT(kernel_test::collect(ring, 1).front().res, 0);
}

}  // namespace
