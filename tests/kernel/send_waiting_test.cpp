// What a SEND that has to wait does and needs: how much it sends, when it reads its bytes, and whether
// all that its SQE points to has to stay.

#include <sys/uio.h>

#include <memory>
#include <string>

#include "tests/kernel/loop_test.hpp"
#include "tests/kernel/steps.hpp"
#include "tests/kernel/tcp_pair.hpp"

namespace {

using namespace loop_test;

class SendWaiting : public LoopTest {
 protected:
  // The other side reads until `count` requests have completed.
  std::vector<io_uring_cqe> collect_while_reading(uring::Ring& ring, std::uint32_t count) {
    std::vector<io_uring_cqe> cqes;
    for (int i = 0; i < 10'000 && cqes.size() < count; ++i) {
      (void)kernel_test::await(sockets_.far.get(), POLLIN, 1);
      receive();
      kernel_test::submit_all(ring);
      EXPECT_TRUE(ring.get_events().has_value());
      std::array<io_uring_cqe, 4> batch;
      const std::uint32_t reaped = ring.reap(batch);
      cqes.insert(cqes.end(), batch.begin(), batch.begin() + reaped);
    }
    CHECK(cqes.size() == count, "the requests do not complete");
    return cqes;
  }
  void receive() {
    std::array<char, 16 * 1024> buffer;
    ssize_t size = 0;
    while ((size = ::recv(sockets_.far.get(), buffer.data(), buffer.size(), MSG_DONTWAIT)) > 0) {
      received_.append(buffer.data(), static_cast<std::size_t>(size));
    }
  }
  // The last bytes that arrive.
  std::string receive_last(std::size_t size) {
    while (kernel_test::await(sockets_.far.get(), POLLIN, 100) != 0) {
      receive();
    }
    return received_.substr(received_.size() - std::min(size, received_.size()));
  }

  kernel_test::TcpPair sockets_;
  std::string received_;
};
INSTANTIATE_TEST_SUITE_P(On, SendWaiting, all_ring_kinds(), name_of);

constexpr std::int32_t kLarge = 4 * 1024 * 1024;

TEST_P(SendWaiting, SendsAPartAndIsShort) {
  uring::Ring ring = make_ring(4);
  const std::vector<std::byte> bytes(kLarge);
  uring::prep_send(kernel_test::next(ring, 1), sockets_.near.get(), bytes, 0);
  const std::int32_t sent = collect_while_reading(ring, 1).front().res;
  EXPECT_GT(sent, 0);
  EXPECT_LT(sent, kLarge);
}

TEST_P(SendWaiting, WithWaitallItSendsAll) {
  NEEDS_LINUX(5, 19, "it may be short all the same");
  uring::Ring ring = make_ring(4);
  const std::vector<std::byte> bytes(kLarge);
  uring::prep_send(kernel_test::next(ring, 1), sockets_.near.get(), bytes, MSG_WAITALL);
  EXPECT_EQ(collect_while_reading(ring, 1).front().res, kLarge);
}

TEST_P(SendWaiting, ReadsItsBytesWhenItSendsThem) {
  uring::Ring ring = make_ring(4);
  std::string text = "as it was at the submit";
  kernel_test::fill(sockets_.near.get());
  uring::prep_send(kernel_test::next(ring, 1), sockets_.near.get(), std::as_bytes(std::span(text)),
                   0);
  kernel_test::submit_all(ring);
  ASSERT_TRUE(kernel_test::stays_quiet(ring));
  text.replace(0, 23, "as it is at the sending");
  EXPECT_EQ(collect_while_reading(ring, 1).front().res, 23);
  EXPECT_EQ(receive_last(23), text);
}

TEST_P(SendWaiting, TheArrayOfASendmsgMayGoAfterTheSubmit) {
  constexpr std::size_t kPieces = 16;  // more than the kernel has room for in the request itself
  uring::Ring ring = make_ring(4);
  std::string text = "0123456789abcdef";
  kernel_test::fill(sockets_.near.get());
  {
    auto pieces = std::make_unique<std::array<iovec, kPieces>>();
    for (std::size_t i = 0; i < kPieces; ++i) {
      (*pieces)[i] = {.iov_base = &text[kPieces - 1 - i], .iov_len = 1};
    }
    auto message = std::make_unique<msghdr>();
    message->msg_iov = pieces->data();
    message->msg_iovlen = kPieces;
    uring::prep_sendmsg(kernel_test::next(ring, 1), sockets_.near.get(), message.get(), 0);
    kernel_test::submit_all(ring);
    ASSERT_TRUE(kernel_test::stays_quiet(ring))
        << "it waits, and has only now been copied for sure";
    *message = {};
    pieces->fill({.iov_base = nullptr, .iov_len = 4096});
  }
  EXPECT_EQ(collect_while_reading(ring, 1).front().res, std::int32_t{kPieces});
  EXPECT_EQ(receive_last(kPieces), "fedcba9876543210");
}

}  // namespace
