#include "m2_file_server/bench/serve_child.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include "common/base/check.hpp"
#include "m2_file_server/bench/serve_cpus.hpp"

namespace file_server::serve_bench {
namespace {

[[noreturn]] void run_child(pid_t parent, std::optional<int> cpu,
                            const std::function<void()>& run) {
  // Before the question who the parent is: so one that ended in between is noticed too.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // A process group of its own: Ctrl-C is for the parent, which then stops us.
  ::setpgid(0, 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::getppid() == parent && (!cpu || pin_to(*cpu))) {
    run();
  }
  ::_exit(1);
}

// Without a result: it is still running.
std::optional<int> reap(pid_t pid, int options) {
  int status = 0;
  pid_t reaped = -1;
  do {
    reaped = ::waitpid(pid, &status, options);
  } while (reaped < 0 && base::last_error().value == EINTR);
  CHECK(reaped >= 0, "a child of ours, and nobody else reaps it");
  return reaped == pid ? std::optional(status) : std::nullopt;
}

}  // namespace

base::Result<Child> Child::spawn(std::optional<int> cpu, const std::function<void()>& run) {
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) {
    return base::fail(base::last_error());
  }
  if (pid == 0) {
    run_child(parent, cpu, run);
  }
  return Child(pid);
}

Child::Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}

Child::~Child() {
  if (pid_ != 0) {
    (void)stop();
  }
}

int Child::stop() {
  using namespace std::chrono_literals;
  constexpr auto kPause = 2ms;
  constexpr int kPauses = 1000;
  const pid_t pid = std::exchange(pid_, 0);
  ::kill(pid, SIGTERM);
  for (int i = 0; i < kPauses; ++i) {
    if (const auto status = reap(pid, WNOHANG)) {
      return *status;
    }
    std::this_thread::sleep_for(kPause);
  }
  ::kill(pid, SIGKILL);
  return *reap(pid, 0);
}

}  // namespace file_server::serve_bench
