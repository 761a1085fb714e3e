#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/unique_fd.hpp"
#include "common/support/write_all.hpp"

namespace {

struct Pipe {
  base::UniqueFd read_end;
  base::UniqueFd write_end;
};

Pipe make_pipe(int flags) {
  int fds[2] = {-1, -1};
  EXPECT_EQ(::pipe2(fds, O_CLOEXEC | flags), 0);
  return {base::UniqueFd(fds[0]), base::UniqueFd(fds[1])};
}

// A writer blocked on a full pipe is hit by a signal again and again: write(2) then returns what it
// had got rid of so far, or EINTR if that was nothing. Every byte must come out once, in order.
TEST(WriteAll, ResumesShortAndInterruptedWrites) {
  struct sigaction action {};
  struct sigaction old_action {};
  action.sa_handler = [](int) {};  // no SA_RESTART
  ASSERT_EQ(::sigaction(SIGUSR1, &action, &old_action), 0);

  std::vector<std::byte> sent(1'000'000);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    sent[i] = static_cast<std::byte>(i * 31 / 7);
  }
  Pipe pipe = make_pipe(0);
  bool ok = false;
  std::thread writer([&] {
    ok = support::write_all(pipe.write_end.get(), sent).has_value();
    pipe.write_end.reset();
  });

  // Nothing is read yet: the first signals find a write that has filled the pipe and returns short,
  // the next ones a write that could do nothing.
  for (int i = 0; i < 20; ++i) {
    ::pthread_kill(writer.native_handle(), SIGUSR1);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::vector<std::byte> received(2 * sent.size());
  std::size_t size = 0;
  while (size < received.size()) {
    ::pthread_kill(writer.native_handle(), SIGUSR1);
    constexpr std::size_t kAtMost = 4096;
    const ssize_t got = ::read(pipe.read_end.get(), received.data() + size,
                               std::min(kAtMost, received.size() - size));
    if (got <= 0) {
      break;
    }
    size += static_cast<std::size_t>(got);
  }
  pipe.read_end.reset();
  writer.join();
  ::sigaction(SIGUSR1, &old_action, nullptr);
  received.resize(size);

  EXPECT_TRUE(ok);
  EXPECT_EQ(received.size(), sent.size());
  EXPECT_TRUE(received == sent);
}

TEST(WriteAll, ReturnsOtherErrors) {
  const Pipe pipe = make_pipe(O_NONBLOCK);
  const std::vector<std::byte> too_much(10'000'000);
  const auto full = support::write_all(pipe.write_end.get(), too_much);
  ASSERT_FALSE(full.has_value());
  EXPECT_EQ(full.error().value, EAGAIN);

  const auto wrong_end = support::write_all(pipe.read_end.get(), too_much);
  ASSERT_FALSE(wrong_end.has_value());
  EXPECT_EQ(wrong_end.error().value, EBADF);
}

TEST(WriteAll, NothingIsWrittenForNothing) {
  EXPECT_TRUE(support::write_all(-1, {}).has_value());
}

}  // namespace
