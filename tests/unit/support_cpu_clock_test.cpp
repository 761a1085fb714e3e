#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <thread>

#include <gtest/gtest.h>

#include "common/support/cpu_clock.hpp"

namespace {

constexpr std::uint64_t kWork_ns = 5'000'000;

// Computes until this thread's own CPU clock says that `kWork_ns` were used.
void burn() {
  const std::uint64_t end_ns = support::thread_cpu_ns() + kWork_ns;
  while (support::thread_cpu_ns() < end_ns) {
  }
}

TEST(CpuClock, NowGoesForward) {
  const std::uint64_t first = support::now_ns();
  EXPECT_GT(first, 0u);
  std::uint64_t last = first;
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t now = support::now_ns();
    ASSERT_GE(now, last);
    last = now;
  }
  burn();
  EXPECT_GE(support::now_ns() - first, kWork_ns);
}

TEST(CpuClock, AnotherThreadsWorkIsTheProcesssAndNotOurs) {
  const std::uint64_t thread_before = support::thread_cpu_ns();
  const std::uint64_t process_before = support::process_cpu_ns();
  std::uint64_t their_work = 0;
  std::thread other([&] {
    const std::uint64_t start = support::thread_cpu_ns();
    burn();
    their_work = support::thread_cpu_ns() - start;
  });
  other.join();
  const std::uint64_t ours = support::thread_cpu_ns() - thread_before;
  const std::uint64_t process = support::process_cpu_ns() - process_before;
  EXPECT_GE(their_work, kWork_ns);
  EXPECT_GE(process, their_work);
  EXPECT_LE(ours, process - their_work);
}

TEST(CpuClock, AnotherProcessIsAskedByPid) {
  int ready[2] = {-1, -1};
  int leave[2] = {-1, -1};
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(leave), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  char byte = 0;
  if (child == 0) {
    burn();
    ::close(leave[1]);
    const bool told = ::write(ready[1], &byte, 1) == 1;
    const bool left = ::read(leave[0], &byte, 1) == 0;
    ::_exit(told && left ? 0 : 1);
  }
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  const auto used = support::process_cpu_ns(child);
  ASSERT_TRUE(used.has_value()) << used.error().name();
  EXPECT_GE(*used, kWork_ns);

  for (const int fd : {ready[0], ready[1], leave[0], leave[1]}) {
    ::close(fd);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);

  const auto gone = support::process_cpu_ns(child);
  ASSERT_FALSE(gone.has_value());
  EXPECT_EQ(gone.error().value, ESRCH);
}

TEST(CpuClock, ZeroAndNegativePidsAreNobody) {
  for (const pid_t pid : {0, -1}) {
    const auto used = support::process_cpu_ns(pid);
    ASSERT_FALSE(used.has_value());
    EXPECT_EQ(used.error().value, ESRCH);
  }
}

}  // namespace
