// The thread of an SQPOLL ring that went to sleep is still there, and it is the one that wakes up.

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>

#include "tests/kernel/kernel_test.hpp"

namespace {

// The number of the ring's thread, as the kernel tells it; 0: it does not (now).
int thread_of(const uring::Ring& ring) {
  std::ifstream info("/proc/self/fdinfo/" + std::to_string(ring.fd()));
  constexpr std::string_view kLabel = "SqThread:";
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with(kLabel)) {
      return std::max(std::stoi(line.substr(kLabel.size())), 0);
    }
  }
  return 0;
}

// Up to ten seconds.
bool falls_asleep(uring::Ring& ring) {
  for (int i = 0; i < 10'000 && (ring.sq().flags() & uring::IORING_SQ_NEED_WAKEUP) == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return (ring.sq().flags() & uring::IORING_SQ_NEED_WAKEUP) != 0;
}

TEST(SqpollThread, SleepsAndIsTheSameAfterwards) {
  NEEDS_FEATURE(Sqpoll);
  uring::Ring ring = kernel_test::make_ring(
      {.sq_entries = 4, .setup_flags = uring::IORING_SETUP_SQPOLL, .sq_thread_idle_ms = 1});
  ASSERT_TRUE(falls_asleep(ring));
  const int at_first = thread_of(ring);
  if (at_first == 0) {
    GTEST_SKIP() << "this kernel does not tell the number of the thread";
  }
  for (int round = 0; round < 3; ++round) {
    kernel_test::run_one(ring, [](uring::io_uring_sqe& sqe) { uring::prep_nop(sqe); });
    ASSERT_TRUE(falls_asleep(ring)) << "again";
    EXPECT_EQ(thread_of(ring), at_first) << "round " << round;
  }
}

}  // namespace
