// The thread of an SQPOLL ring that went to sleep is still there, and it is the one that wakes up.

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "tests/kernel/kernel_test.hpp"

namespace {

// The number of this process's SQPOLL thread; 0: there is none.
int sqpoll_thread() {
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm"), name);
    if (name.starts_with("iou-sqp-")) {
      return std::stoi(task.path().filename().string());
    }
  }
  return 0;
}

void wait_until_it_sleeps(uring::Ring& ring) {
  for (int i = 0; i < 10'000 && (ring.sq().flags() & uring::IORING_SQ_NEED_WAKEUP) == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ASSERT_NE(ring.sq().flags() & uring::IORING_SQ_NEED_WAKEUP, 0U);
}

TEST(SqpollThread, SleepsAndIsTheSameAfterwards) {
  NEEDS_FEATURE(Sqpoll);
  uring::Ring ring = kernel_test::make_ring(
      {.sq_entries = 4, .setup_flags = uring::IORING_SETUP_SQPOLL, .sq_thread_idle_ms = 1});
  wait_until_it_sleeps(ring);
  const int at_first = sqpoll_thread();
  if (at_first == 0) {
    GTEST_SKIP() << "this kernel's SQPOLL thread is none of our process (Linux 5.12)";
  }
  for (int round = 0; round < 3; ++round) {
    kernel_test::run_one(ring, [](uring::io_uring_sqe& sqe) { uring::prep_nop(sqe); });
    EXPECT_EQ(sqpoll_thread(), at_first) << "woken";
    wait_until_it_sleeps(ring);
    EXPECT_EQ(sqpoll_thread(), at_first) << "asleep again";
  }
}

}  // namespace
