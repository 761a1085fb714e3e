// A RECV that waits holds its socket: closing the descriptor ends neither the one nor the other.

#include <unistd.h>

#include <atomic>
#include <fstream>
#include <string>
#include <thread>

#include "tests/kernel/loop_test.hpp"
#include "tests/kernel/steps.hpp"
#include "tests/kernel/tcp_pair.hpp"
#include "tests/kernel/test_files.hpp"

namespace {

using namespace loop_test;

class SocketClose : public LoopTest {
 protected:
  void arm_recv(uring::Ring& ring) {
    uring::prep_recv(kernel_test::next(ring, 1), sockets_.near.get(), buffer_, 0);
    kernel_test::submit_all(ring);
    ASSERT_TRUE(kernel_test::stays_quiet(ring));
  }

  std::array<std::byte, 8> buffer_{};
  kernel_test::TcpPair sockets_;
};
INSTANTIATE_TEST_SUITE_P(On, SocketClose, all_ring_kinds(), name_of);

TEST_P(SocketClose, EndsNoRecvAndTellsThePeerNothing) {
  uring::Ring ring = make_ring(4);
  arm_recv(ring);
  sockets_.near.reset();
  EXPECT_TRUE(kernel_test::stays_quiet(ring)) << "no completion";
  EXPECT_EQ(kernel_test::await(sockets_.far.get(), POLLIN | POLLRDHUP, 20), 0) << "and no end";

  kernel_test::write_text(sockets_.far.get(), "late");
  EXPECT_EQ(kernel_test::collect(ring, 1).front().res, 4) << "it goes on delivering";
  EXPECT_EQ(kernel_test::as_text(std::span(buffer_).first(4)), "late");
  EXPECT_TRUE(kernel_test::sees_the_end(sockets_.far.get())) << "now that nothing holds the socket";
}

TEST_P(SocketClose, ThroughTheRingEndsNoRecvEither) {
  uring::Ring ring = make_ring(4);
  arm_recv(ring);
  uring::prep_close(kernel_test::next(ring, 2), sockets_.near.release());
  const auto closed = kernel_test::collect(ring, 1);
  EXPECT_EQ(kernel_test::res_of(closed, 2), 0);
  EXPECT_TRUE(kernel_test::stays_quiet(ring));
  kernel_test::write_text(sockets_.far.get(), "late");
  EXPECT_EQ(kernel_test::res_of(kernel_test::collect(ring, 1), 1), 4);
}

TEST_P(SocketClose, ShutdownEndsTheRecvAndTellsThePeer) {
  uring::Ring ring = make_ring(4);
  arm_recv(ring);
  ASSERT_EQ(::shutdown(sockets_.near.get(), SHUT_RDWR), 0);
  EXPECT_EQ(kernel_test::collect(ring, 1).front().res, 0);
  EXPECT_TRUE(kernel_test::sees_the_end(sockets_.far.get()));
}

TEST_P(SocketClose, BehindACancelOfAllThatIsPendingEndsBoth) {
  NEEDS_FEATURE(CancelFd);
  uring::Ring ring = make_ring(4);
  arm_recv(ring);
  const int fd = sockets_.near.release();
  ASSERT_TRUE(ring.sq().begin_chain(2, uring::IOSQE_IO_HARDLINK));
  uring::prep_cancel_fd(kernel_test::next(ring, 2), fd, uring::IORING_ASYNC_CANCEL_ALL);
  uring::prep_close(kernel_test::next(ring, 3), fd);
  const auto cqes = kernel_test::collect(ring, 3);
  EXPECT_EQ(kernel_test::res_of(cqes, 1), -ECANCELED);
  EXPECT_EQ(kernel_test::res_of(cqes, 2), 1) << "one request was pending";
  EXPECT_EQ(kernel_test::res_of(cqes, 3), 0);
  EXPECT_TRUE(kernel_test::sees_the_end(sockets_.far.get()));
}

TEST_P(SocketClose, BehindACancelThatFindsNothingIsDoneAllTheSame) {
  NEEDS_FEATURE(CancelFd);
  uring::Ring ring = make_ring(4);
  const int fd = sockets_.near.release();
  ASSERT_TRUE(ring.sq().begin_chain(2, uring::IOSQE_IO_HARDLINK));
  uring::prep_cancel_fd(kernel_test::next(ring, 2), fd, uring::IORING_ASYNC_CANCEL_ALL);
  uring::prep_close(kernel_test::next(ring, 3), fd);
  const auto cqes = kernel_test::collect(ring, 2);
  EXPECT_LE(kernel_test::res_of(cqes, 2), 0) << "0, or -ENOENT";
  EXPECT_EQ(kernel_test::res_of(cqes, 3), 0);
  EXPECT_TRUE(kernel_test::sees_the_end(sockets_.far.get()));
}

// A thread that waits in recv(2). What it got is there once it has been joined.
class BlockedReceiver {
 public:
  explicit BlockedReceiver(int fd) : thread_([this, fd] { run(fd); }) {}

  // Up to ten seconds, until it sleeps.
  [[nodiscard]] bool is_waiting() const {
    for (int i = 0; i < 10'000; ++i) {
      std::ifstream stat("/proc/self/task/" + std::to_string(tid_) + "/stat");
      std::string line;
      if (tid_ != 0 && std::getline(stat, line) && line.find(") S ") != std::string::npos) {
        return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  }
  [[nodiscard]] bool is_done() const { return done_; }
  [[nodiscard]] ssize_t join() {
    thread_.join();
    return received_;
  }

 private:
  void run(int fd) {
    std::array<std::byte, 8> buffer;
    tid_ = ::gettid();
    received_ = ::recv(fd, buffer.data(), buffer.size(), 0);
    done_ = true;
  }

  std::atomic<pid_t> tid_ = 0;
  std::atomic<bool> done_ = false;
  ssize_t received_ = -1;
  std::thread thread_;
};

TEST(SocketCloseWithoutARing, EndsNoBlockedRecvEither) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "to close what another thread receives from is the race that this test is about";
#endif
  kernel_test::TcpPair sockets;
  BlockedReceiver receiver(sockets.near.get());
  ASSERT_TRUE(receiver.is_waiting());
  sockets.near.reset();
  EXPECT_EQ(kernel_test::await(sockets.far.get(), POLLIN | POLLRDHUP, 20), 0);
  EXPECT_FALSE(receiver.is_done());
  kernel_test::write_text(sockets.far.get(), "late");
  EXPECT_EQ(receiver.join(), 4);
}

}  // namespace
