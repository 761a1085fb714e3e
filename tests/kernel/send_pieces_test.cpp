// Many pieces in one request: SENDMSG, and since 6.17 a SEND with an array of them.

#include <limits.h>
#include <sys/uio.h>

#include <numeric>
#include <string>

#include "tests/kernel/loop_test.hpp"
#include "tests/kernel/steps.hpp"
#include "tests/kernel/tcp_pair.hpp"

namespace {

using namespace loop_test;

class SendPieces : public LoopTest {
 protected:
  // Pieces of 1, 2, 3 ... bytes, each of one letter.
  void make_pieces(std::size_t count, std::size_t size_step = 1) {
    for (std::size_t i = 0; i < count; ++i) {
      texts_.emplace_back((i + 1) * size_step, static_cast<char>('a' + i % 26));
    }
    for (std::string& text : texts_) {
      pieces_.push_back({.iov_base = text.data(), .iov_len = text.size()});
    }
    message_.msg_iov = pieces_.data();
    message_.msg_iovlen = pieces_.size();
  }
  [[nodiscard]] std::string all() const {
    return std::accumulate(texts_.begin(), texts_.end(), std::string());
  }
  std::string receive() {
    std::string text(64 * 1024, '\0');
    const ssize_t size = ::recv(sockets_.far.get(), text.data(), text.size(), MSG_DONTWAIT);
    return text.substr(0, size > 0 ? static_cast<std::size_t>(size) : 0);
  }

  std::vector<std::string> texts_;
  std::vector<iovec> pieces_;
  msghdr message_{};
  kernel_test::TcpPair sockets_;
};
INSTANTIATE_TEST_SUITE_P(On, SendPieces, all_ring_kinds(), name_of);

TEST_P(SendPieces, OneSendmsgSendsThemAllInTheirOrder) {
  uring::Ring ring = make_ring(4);
  make_pieces(64);
  uring::prep_sendmsg(kernel_test::next(ring, 1), sockets_.near.get(), &message_, MSG_DONTWAIT);
  EXPECT_EQ(kernel_test::collect(ring, 1).front().res, 64 * 65 / 2);
  EXPECT_EQ(receive(), all());
}

TEST_P(SendPieces, AShortSendmsgMayEndInTheMidstOfOne) {
  constexpr std::size_t kStep = 100'003;
  uring::Ring ring = make_ring(4);
  make_pieces(8, kStep);
  uring::prep_sendmsg(kernel_test::next(ring, 1), sockets_.near.get(), &message_, MSG_DONTWAIT);
  const std::int32_t sent = kernel_test::collect(ring, 1).front().res;
  ASSERT_GT(sent, 0);
  ASSERT_LT(static_cast<std::size_t>(sent), all().size());
  std::string received;
  while (received.size() < static_cast<std::size_t>(sent)) {
    ASSERT_NE(kernel_test::await(sockets_.far.get(), POLLIN, 10'000), 0);
    received += receive();
  }
  EXPECT_EQ(received, all().substr(0, static_cast<std::size_t>(sent)));
}

TEST_P(SendPieces, MoreThanIovMaxAreRefused) {
  uring::Ring ring = make_ring(4);
  make_pieces(IOV_MAX + 1);
  uring::prep_sendmsg(kernel_test::next(ring, 1), sockets_.near.get(), &message_, MSG_DONTWAIT);
  const std::int32_t res = kernel_test::collect(ring, 1).front().res;
  EXPECT_TRUE(res == -EMSGSIZE || res == -EINVAL) << res << "; the latter on 6.1";
}

TEST_P(SendPieces, ASendTakesAnArrayToo) {
  NEEDS_LINUX(6, 17, "SEND takes one piece");
  uring::Ring ring = make_ring(4);
  make_pieces(64);
  uring::io_uring_sqe& sqe = kernel_test::next(ring, 1);
  uring::prep_transfer(sqe, uring::IORING_OP_SEND, sockets_.near.get(), pieces_.data(),
                       pieces_.size(), 0);
  sqe.msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL;
  sqe.ioprio |= uring::IORING_SEND_VECTORIZED;
  EXPECT_EQ(kernel_test::collect(ring, 1).front().res, 64 * 65 / 2);
  EXPECT_EQ(receive(), all());
}

}  // namespace
