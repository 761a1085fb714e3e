// The thread of an SQPOLL ring that went to sleep is still there, and it is the one that wakes up.

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/kernel/kernel_test.hpp"

namespace {

// The numbers of this process's SQPOLL threads.
std::vector<int> sqpoll_threads() {
  std::vector<int> found;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm"), name);
    if (name.starts_with("iou-sqp-")) {
      found.push_back(std::stoi(task.path().filename().string()));
    }
  }
  return found;
}

// Asks again every millisecond, for up to ten seconds.
template <class Condition>
bool comes_true(Condition condition) {
  for (int i = 0; i < 10'000; ++i) {
    if (condition()) {
      return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

bool falls_asleep(uring::Ring& ring) {
  return comes_true([&] { return (ring.sq().flags() & uring::IORING_SQ_NEED_WAKEUP) != 0; });
}

TEST(SqpollThread, SleepsAndIsTheSameAfterwards) {
  const uring::Features features = kernel_test::features();
  if (!features.has(uring::Feature::Sqpoll)) {
    GTEST_SKIP() << "this kernel lacks sqpoll (Linux 5.13)";
  }
  // Finding that out may have taken a ring of that kind, whose thread ends in its own time.
  ASSERT_TRUE(comes_true([] { return sqpoll_threads().empty(); }));
  uring::Ring ring = *uring::Ring::create(
      {.sq_entries = 4, .setup_flags = uring::IORING_SETUP_SQPOLL, .sq_thread_idle_ms = 1},
      features);
  ASSERT_TRUE(falls_asleep(ring));
  const std::vector<int> at_first = sqpoll_threads();
  if (at_first.empty()) {
    GTEST_SKIP() << "this kernel's SQPOLL thread is none of our process (Linux 5.12)";
  }
  ASSERT_EQ(at_first.size(), 1U);
  for (int round = 0; round < 3; ++round) {
    kernel_test::run_one(ring, [](uring::io_uring_sqe& sqe) { uring::prep_nop(sqe); });
    EXPECT_EQ(sqpoll_threads(), at_first) << "woken";
    ASSERT_TRUE(falls_asleep(ring));
    EXPECT_EQ(sqpoll_threads(), at_first) << "asleep again";
  }
}

}  // namespace
