// A signal with an ordinary handler interrupts the wait: the loop counts it and goes on.

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>

#include <gtest/gtest.h>

#include "common/base/unique_fd.hpp"
#include "common/uring/prep.hpp"
#include "tests/kernel/loop_test.hpp"

namespace {

using namespace loop_test;

constexpr std::uint8_t kPoll = 1;
constexpr sig_atomic_t kInterruptionsWanted = 3;
constexpr sig_atomic_t kTicksAtMost = 20'000;  // of a millisecond: then the test gives up

// What the signal handler sees and writes.
volatile sig_atomic_t interruptions_seen;
volatile sig_atomic_t ticks;
volatile sig_atomic_t wake_fd;

void on_tick(int) {
  ticks = ticks + 1;
  if (interruptions_seen >= kInterruptionsWanted || ticks >= kTicksAtMost) {
    const std::uint64_t one = 1;
    static_cast<void>(!::write(wake_fd, &one, sizeof one));
  }
}

// SIGALRM every millisecond, until destroyed.
class Ticks {
 public:
  explicit Ticks(int sa_flags) {
    struct sigaction action {};
    action.sa_handler = on_tick;
    action.sa_flags = sa_flags;
    CHECK(::sigaction(SIGALRM, &action, &old_action_) == 0);
    const itimerval every_ms{.it_interval = {.tv_sec = 0, .tv_usec = 1000},
                             .it_value = {.tv_sec = 0, .tv_usec = 1000}};
    CHECK(::setitimer(ITIMER_REAL, &every_ms, nullptr) == 0);
  }
  Ticks(const Ticks&) = delete;
  Ticks& operator=(const Ticks&) = delete;
  ~Ticks() {
    const itimerval off{};
    CHECK(::setitimer(ITIMER_REAL, &off, nullptr) == 0);
    CHECK(::sigaction(SIGALRM, &old_action_, nullptr) == 0);
  }

 private:
  struct sigaction old_action_ {};
};

class LoopInterruption : public LoopTest {
 protected:
  // Waits on an eventfd, which the handler writes after enough interruptions.
  void survives(int sa_flags) {
    const base::UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    ASSERT_TRUE(event.valid());
    interruptions_seen = 0;
    ticks = 0;
    wake_fd = event.get();

    uring::Ring ring = make_ring(4);
    EventLoop loop(ring, {.slots = 1});
    Application app;
    const std::uint32_t slot = loop.slots().acquire().value();
    ASSERT_TRUE(loop.make_room(1).has_value());
    uring::prep_poll_add(loop.arm(slot, kPoll), event.get(), POLLIN);
    app.wait = [&] { interruptions_seen = static_cast<sig_atomic_t>(loop.counters().interrupted); };
    app.completion = [&](OpId, const io_uring_cqe& cqe) {
      EXPECT_EQ(cqe.res & POLLIN, POLLIN);
      app.done = true;
    };
    {
      const Ticks running(sa_flags);
      ASSERT_TRUE(loop.run(app).has_value());
    }
    EXPECT_TRUE(app.done);
    EXPECT_GE(loop.counters().interrupted, std::uint64_t{kInterruptionsWanted})
        << "after " << ticks << " ticks";
  }
};

INSTANTIATE_TEST_SUITE_P(On, LoopInterruption, testing::Values(kPlain, kCoop, kDefer, kAs510),
                         name_of);

TEST_P(LoopInterruption, IsSurvived) {
  survives(0);
}

// io_uring_enter is never restarted.
TEST_P(LoopInterruption, ComesDespiteSaRestart) {
  survives(SA_RESTART);
}

}  // namespace
