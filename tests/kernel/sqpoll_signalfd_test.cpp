// Which signals the poll of a signalfd sees: those of the task that armed it. On an SQPOLL ring that
// is the kernel's own thread, so a signal sent to one of our threads goes unseen, and a signal sent
// to the process is seen.

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "common/support/signal_source.hpp"
#include "tests/kernel/kernel_test.hpp"

namespace {

void arm_poll(uring::Ring& ring, int fd) {
  uring::io_uring_sqe* sqe = ring.next_sqe();
  ASSERT_NE(sqe, nullptr);
  uring::prep_poll_add(*sqe, fd, POLLIN);
  ASSERT_TRUE(ring.submit().has_value());
}

TEST(SqpollSignalfd, ASignalToAThreadIsNotSeenAndOneToTheProcessIs) {
  NEEDS_FEATURE(Sqpoll);
  const auto signals = support::SignalSource::create({SIGUSR1, SIGUSR2});
  ASSERT_TRUE(signals.has_value());
  uring::Ring ring = kernel_test::make_ring(
      {.sq_entries = 4, .setup_flags = uring::IORING_SETUP_SQPOLL, .sq_thread_idle_ms = 1});
  arm_poll(ring, signals->fd());

  ASSERT_EQ(::raise(SIGUSR1), 0);  // to this thread
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_TRUE(kernel_test::is_quiet(ring));

  ASSERT_EQ(::kill(::getpid(), SIGUSR2), 0);
  const auto cqe = kernel_test::collect(ring, 1).front();
  EXPECT_EQ(cqe.res & POLLIN, POLLIN);
  // Reading is done by us, and sees both.
  EXPECT_EQ(signals->next(), SIGUSR1);
  EXPECT_EQ(signals->next(), SIGUSR2);
}

TEST(SqpollSignalfd, AnOrdinaryRingSeesBoth) {
  const auto signals = support::SignalSource::create({SIGUSR1});
  ASSERT_TRUE(signals.has_value());
  uring::Ring ring = kernel_test::make_ring({.sq_entries = 4});
  for (const bool to_the_process : {false, true}) {
    arm_poll(ring, signals->fd());
    ASSERT_EQ(to_the_process ? ::kill(::getpid(), SIGUSR1) : ::raise(SIGUSR1), 0);
    EXPECT_EQ(kernel_test::collect(ring, 1).front().res & POLLIN, POLLIN);
    EXPECT_EQ(signals->next(), SIGUSR1);
  }
}

}  // namespace
