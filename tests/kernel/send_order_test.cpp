// Two SENDs in flight on one socket: nothing keeps the order of their bytes. The first waits for
// room; the second finds it first. (On a ring with DEFER_TASKRUN, because there the first is woken
// only when we enter for events: elsewhere the same happens now and then.)

#include <string>

#include "tests/kernel/loop_test.hpp"
#include "tests/kernel/steps.hpp"
#include "tests/kernel/tcp_pair.hpp"

namespace {

using namespace loop_test;

class SendOrder : public LoopTest {
 protected:
  void send(uring::Ring& ring, std::uint64_t user_data, const std::string& text,
            int msg_flags = 0) {
    uring::prep_send(kernel_test::next(ring, user_data), sockets_.near.get(),
                     std::as_bytes(std::span(text)), msg_flags);
    ASSERT_TRUE(ring.submit().has_value());  // and get no events
  }

  // Reads what is there, until the sender has room.
  void make_room() {
    for (int i = 0; i < 1'000; ++i) {
      receive();
      if (kernel_test::await(sockets_.near.get(), POLLOUT, 10) != 0) {
        return;
      }
    }
    FAIL() << "no room";
  }
  void receive() {
    std::array<char, 16 * 1024> buffer;
    ssize_t size = 0;
    while ((size = ::recv(sockets_.far.get(), buffer.data(), buffer.size(), MSG_DONTWAIT)) > 0) {
      received_.append(buffer.data(), static_cast<std::size_t>(size));
    }
  }
  void receive_until(std::size_t size) {
    while (received_.size() < size) {
      ASSERT_NE(kernel_test::await(sockets_.far.get(), POLLIN, 10'000), 0);
      receive();
    }
  }

  kernel_test::TcpPair sockets_;
  std::string received_;
};
INSTANTIATE_TEST_SUITE_P(On, SendOrder, testing::Values(kDefer), name_of);

TEST_P(SendOrder, TheSecondMayGoOutFirst) {
  uring::Ring ring = make_ring(4);
  const std::string first = "first";
  const std::string second = "second";
  kernel_test::fill(sockets_.near.get());
  send(ring, 1, first);
  ASSERT_TRUE(kernel_test::is_quiet(ring)) << "it waits";
  make_room();
  received_.clear();
  send(ring, 2, second);
  const auto cqes = kernel_test::collect(ring, 2);
  EXPECT_EQ(kernel_test::res_of(cqes, 1), 5);
  EXPECT_EQ(kernel_test::res_of(cqes, 2), 6);
  receive_until(11);
  EXPECT_EQ(received_, "secondfirst");
}

TEST_P(SendOrder, TheSecondMayGoOutInTheMidstOfTheFirst) {
  uring::Ring ring = make_ring(4);
  const std::string first(1024 * 1024, 'a');
  const std::string second(8, 'b');
  send(ring, 1, first, MSG_WAITALL);
  ASSERT_TRUE(kernel_test::is_quiet(ring)) << "it waits to send the rest";
  make_room();
  send(ring, 2, second, MSG_WAITALL);
  for (int i = 0; i < 10'000 && ring.cq().ready() < 2; ++i) {
    receive();
    ASSERT_TRUE(ring.get_events().has_value());
  }
  const auto cqes = kernel_test::collect(ring, 2);
  EXPECT_EQ(kernel_test::res_of(cqes, 1), 1024 * 1024) << "all of it, says its completion";
  EXPECT_EQ(kernel_test::res_of(cqes, 2), 8);
  receive_until(first.size() + second.size());
  const std::size_t at = received_.find('b');
  EXPECT_GT(at, 0U);
  EXPECT_LT(at, first.size()) << "with another's bytes in it";
  EXPECT_EQ(received_.find('a', at), at + second.size());
}

}  // namespace
