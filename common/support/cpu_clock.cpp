#include "common/support/cpu_clock.hpp"

#include <time.h>

#include <cerrno>

#include "common/base/check.hpp"

namespace support {
namespace {

std::uint64_t to_ns(const timespec& time) {
  constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
  return static_cast<std::uint64_t>(time.tv_sec) * kNsPerSecond +
         static_cast<std::uint64_t>(time.tv_nsec);
}

std::uint64_t read_own_clock(clockid_t clock) {
  timespec time{};
  CHECK(::clock_gettime(clock, &time) == 0, "a clock every Linux has");
  return to_ns(time);
}

}  // namespace

std::uint64_t now_ns() {
  return read_own_clock(CLOCK_MONOTONIC);
}

std::uint64_t thread_cpu_ns() {
  return read_own_clock(CLOCK_THREAD_CPUTIME_ID);
}

std::uint64_t process_cpu_ns() {
  return read_own_clock(CLOCK_PROCESS_CPUTIME_ID);
}

base::Result<std::uint64_t> process_cpu_ns(pid_t pid) {
  if (pid <= 0) {
    return base::fail(ESRCH);  // 0 would mean ourselves, a negative number nobody
  }
  clockid_t clock{};
  // It returns the error and leaves errno alone (clock_getcpuclockid(3)).
  if (const int error = ::clock_getcpuclockid(pid, &clock); error != 0) {
    return base::fail(error);
  }
  timespec time{};
  if (::clock_gettime(clock, &time) != 0) {
    const base::Errno error = base::last_error();
    // EINVAL: the process ended between the two calls, and its clock went with it.
    return base::fail(error.value == EINVAL ? base::Errno{ESRCH} : error);
  }
  return to_ns(time);
}

}  // namespace support
