// An SQPOLL ring's thread sleeps when it has been idle. From then on somebody must wake it: a system
// call without IORING_ENTER_SQ_WAKEUP submits nothing, although it says that it did.

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>

#include "common/support/trace.hpp"
#include "common/support/trace_reader.hpp"
#include "common/uring/syscalls.hpp"
#include "tests/kernel/kernel_test.hpp"

namespace {

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

uring::Ring make_sqpoll_ring(std::uint32_t idle_ms, support::Trace* trace = nullptr) {
  return kernel_test::make_ring({.sq_entries = 4,
                                 .setup_flags = uring::IORING_SETUP_SQPOLL,
                                 .sq_thread_idle_ms = idle_ms,
                                 .trace = trace});
}

bool falls_asleep(uring::Ring& ring) {
  return comes_true([&] { return (ring.sq().flags() & uring::IORING_SQ_NEED_WAKEUP) != 0; });
}

void prepare_nop(uring::Ring& ring, std::uint64_t user_data) {
  uring::io_uring_sqe* sqe = ring.next_sqe();
  ASSERT_NE(sqe, nullptr);
  uring::prep_nop(*sqe);
  sqe->user_data = user_data;
}

TEST(SqpollWakeup, AnIdleThreadAsksToBeWoken) {
  NEEDS_FEATURE(Sqpoll);
  uring::Ring ring = make_sqpoll_ring(1);
  EXPECT_TRUE(falls_asleep(ring));
  EXPECT_TRUE(ring.sq().needs_wakeup());
}

TEST(SqpollWakeup, EnteringWithoutTheFlagConsumesNothingAndStillReturnsToSubmit) {
  NEEDS_FEATURE(Sqpoll);
  uring::Ring ring = make_sqpoll_ring(1);
  ASSERT_TRUE(falls_asleep(ring));
  prepare_nop(ring, 1);
  prepare_nop(ring, 2);
  EXPECT_EQ(ring.sq().publish(), 2U);
  const auto entered = uring::sys::io_uring_enter(ring.fd(), 2, 0, 0, nullptr, 0);
  ASSERT_TRUE(entered.has_value());
  EXPECT_EQ(*entered, 2U);
  // Long after the thread would have taken them, had it been awake.
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(ring.sq().pending(), 2U);
  EXPECT_EQ(ring.cq().ready(), 0U);
  EXPECT_TRUE(ring.sq().needs_wakeup());

  const auto woken =
      uring::sys::io_uring_enter(ring.fd(), 0, 0, uring::IORING_ENTER_SQ_WAKEUP, nullptr, 0);
  ASSERT_TRUE(woken.has_value());
  EXPECT_EQ(*woken, 0U) << "what it says is still not what was taken";
  EXPECT_TRUE(comes_true([&] { return ring.cq().ready() == 2; }));
  EXPECT_EQ(ring.sq().pending(), 0U);
}

TEST(SqpollWakeup, SubmitWakesTheThread) {
  NEEDS_FEATURE(Sqpoll);
  uring::Ring ring = make_sqpoll_ring(1);
  for (std::uint64_t round = 1; round <= 5; ++round) {
    ASSERT_TRUE(falls_asleep(ring));
    prepare_nop(ring, round);
    ASSERT_TRUE(ring.submit().has_value());
    ASSERT_TRUE(comes_true([&] { return ring.cq().ready() == 1; }));
    EXPECT_EQ(ring.cq().at(0).user_data, round);
    ring.cq().advance(1);
  }
}

TEST(SqpollWakeup, SubmitAndWaitWakesTheThread) {
  NEEDS_FEATURE(Sqpoll);
  uring::Ring ring = make_sqpoll_ring(1);
  ASSERT_TRUE(falls_asleep(ring));
  prepare_nop(ring, 9);
  EXPECT_EQ(kernel_test::collect(ring, 1).front().user_data, 9U);
}

// More SQEs than the SQ holds, with a thread that sleeps at some point or other: make_room() waits
// until it has taken some.
TEST(SqpollWakeup, MakeRoomWaitsForTheThread) {
  NEEDS_FEATURE(Sqpoll);
  constexpr std::uint32_t kRequests = 200;
  uring::Ring ring = make_sqpoll_ring(1);
  std::uint32_t completed = 0;
  std::array<uring::io_uring_cqe, 8> cqes;
  for (std::uint32_t i = 0; i < kRequests; ++i) {
    ASSERT_TRUE(ring.make_room(1).has_value());
    prepare_nop(ring, i);
    if (i % 50 == 0) {
      ASSERT_TRUE(falls_asleep(ring));
    }
    completed += ring.reap(cqes);
  }
  while (completed < kRequests) {
    ASSERT_TRUE(ring.submit_and_wait(1).has_value());
    completed += ring.reap(cqes);
  }
  EXPECT_EQ(completed, kRequests);
}

// The point of SQPOLL: while the thread is awake, submitting makes no system call. The trace has a
// record of each.
TEST(SqpollWakeup, AnAwakeThreadNeedsNoSystemCall) {
  NEEDS_FEATURE(Sqpoll);
  std::string path = testing::TempDir() + "sqpoll_trace_XXXXXX";
  const int fd = ::mkstemp(path.data());
  ASSERT_GE(fd, 0);
  ::close(fd);
  std::uint32_t enters = 0;
  std::uint32_t completions = 0;
  {
    auto trace = support::Trace::open(path.c_str());
    ASSERT_TRUE(trace.has_value());
    constexpr std::uint32_t kLongerThanThisTestMs = 600'000;
    uring::Ring ring = make_sqpoll_ring(kLongerThanThisTestMs, &*trace);
    for (std::uint64_t round = 0; round < 10; ++round) {
      prepare_nop(ring, round);
      ASSERT_TRUE(ring.submit().has_value());
      std::array<uring::io_uring_cqe, 1> cqe;
      ASSERT_TRUE(comes_true([&] { return ring.reap(cqe) == 1; }));
    }
  }
  auto reader = support::TraceReader::open(path);
  ASSERT_TRUE(reader.has_value()) << reader.error();
  for (auto record = reader->next(); record && *record; record = reader->next()) {
    enters += (*record)->kind == support::TraceKind::EnterCall ? 1U : 0U;
    completions += (*record)->kind == support::TraceKind::Cqe ? 1U : 0U;
  }
  std::filesystem::remove(path);
  EXPECT_EQ(completions, 10U);
  // The thread may go to sleep once before it has seen anything to do: then the first submit wakes it.
  EXPECT_LE(enters, 1U) << "ten submits to a thread that is awake";
}

}  // namespace
