// How long a turn waits, on the real clock: never shorter than it should, so that no turn is spent
// on finding out that nothing is due yet; on a kernel without epoll_pwait2, too.

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

#include "common/support/cpu_clock.hpp"
#include "tests/servers/reactor_fixture.hpp"

namespace epoll_reference {
namespace {

constexpr std::uint64_t kMillisecond_ns = 1'000'000;

TEST_F(ReactorTest, ATurnWaitsExactlyForTheNextTimer) {
  Handler timer;
  for (int i = 0; i < 20; ++i) {
    const std::uint64_t deadline_ns = reactor.now_ns() + 2 * kMillisecond_ns + 300'001;
    ASSERT_TRUE(reactor.at(deadline_ns, timer.timer()).has_value());
    reactor.turn();
    EXPECT_EQ(timer.calls, i + 1);
    EXPECT_GE(reactor.turn_ns(), deadline_ns);
  }
  EXPECT_EQ(reactor.counters().turns, 20u);
}

// The shortest of some waits, since the machine can only make one longer.
TEST_F(ReactorTest, TheWaitIsNotRoundedToMilliseconds) {
  Handler timer;
  std::uint64_t shortest_ns = Reactor::kForever;
  for (int i = 0; i < 20; ++i) {
    const std::uint64_t start_ns = reactor.now_ns();
    ASSERT_TRUE(reactor.after(100'000, timer.timer()).has_value());
    reactor.turn();
    shortest_ns = std::min(shortest_ns, reactor.turn_ns() - start_ns);
  }
  EXPECT_GE(shortest_ns, 100'000u);
  EXPECT_LT(shortest_ns, kMillisecond_ns);
}

TEST_F(ReactorTest, ATurnWaitsForNoLongerThanItIsTold) {
  Handler timer;
  ASSERT_TRUE(reactor.after(3600 * 1000 * kMillisecond_ns, timer.timer()).has_value());
  const std::uint64_t start_ns = reactor.now_ns();
  reactor.turn(kMillisecond_ns);
  EXPECT_GE(reactor.turn_ns() - start_ns, kMillisecond_ns);
  EXPECT_EQ(timer.calls, 0);
}

TEST_F(ReactorTest, ATimerThatIsDueKeepsTheTurnFromWaiting) {
  const SocketPair pair;
  Handler io;
  Handler timer;
  watch(pair.ours.get(), EPOLLIN, io);
  ASSERT_TRUE(reactor.at(0, timer.timer()).has_value());
  pair.poke();
  reactor.turn();
  EXPECT_EQ(timer.calls, 1);
  EXPECT_EQ(io.calls, 1);  // and it looks at the descriptors all the same
}

TEST_F(ReactorTest, AnEventEndsTheWaitForATimer) {
  const SocketPair pair;
  Handler io;
  Handler timer;
  watch(pair.ours.get(), EPOLLIN, io);
  ASSERT_TRUE(reactor.after(3600 * 1000 * kMillisecond_ns, timer.timer()).has_value());
  pair.poke();
  reactor.turn();
  EXPECT_EQ(io.calls, 1);
  EXPECT_EQ(timer.calls, 0);
}

// From here on epoll_pwait2 answers ENOSYS, as on Linux 5.10.
void deny_epoll_pwait2() {
  std::array<sock_filter, 4> program = {{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_epoll_pwait2, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog filter{.len = program.size(), .filter = program.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
    std::_Exit(1);
  }
}

// In a child, which cannot get rid of its filter again.
TEST_F(ReactorTest, WithoutEpollPwait2MillisecondsAreRoundedUp) {
  const auto wait_in_milliseconds = [&] {
    deny_epoll_pwait2();
    Handler timer;
    for (int i = 0; i < 5; ++i) {
      const std::uint64_t deadline_ns = reactor.now_ns() + 2 * kMillisecond_ns + 900'001;
      if (!reactor.at(deadline_ns, timer.timer())) {
        std::_Exit(2);
      }
      reactor.turn();
      if (timer.calls != i + 1 || reactor.turn_ns() < deadline_ns) {
        std::_Exit(3);
      }
    }
    const SocketPair pair;
    Handler io;
    watch(pair.ours.get(), EPOLLIN, io);
    pair.poke();
    reactor.turn();  // without a timer: for ever, that is until the event
    std::_Exit(io.calls == 1 ? 0 : 4);
  };
  EXPECT_EXIT(wait_in_milliseconds(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace epoll_reference
