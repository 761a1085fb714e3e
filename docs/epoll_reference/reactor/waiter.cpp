#include "docs/epoll_reference/reactor/waiter.hpp"

#include <time.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "common/base/check.hpp"
#include "common/base/errno.hpp"

namespace epoll_reference {
namespace {

constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
constexpr std::uint64_t kNsPerMillisecond = 1'000'000;

// Both waits end early only for a signal; anything else is a bug of ours.
std::size_t event_count(int result, base::Errno error) {
  if (result >= 0) {
    return static_cast<std::size_t>(result);
  }
  CHECK(error.value == EINTR, "the descriptor and the array are ours");
  return 0;
}

int milliseconds(std::uint64_t timeout_ns) {
  if (timeout_ns == Waiter::kForever) {
    return -1;
  }
  const std::uint64_t rounded_up =
      timeout_ns / kNsPerMillisecond + (timeout_ns % kNsPerMillisecond != 0 ? 1 : 0);
  return static_cast<int>(std::min<std::uint64_t>(rounded_up, INT_MAX));
}

}  // namespace

std::size_t Waiter::wait(int epoll_fd, std::span<epoll_event> events, std::uint64_t timeout_ns) {
  const int capacity = static_cast<int>(std::min<std::size_t>(events.size(), INT_MAX));
  // Not to wait, and to wait for ever, is the same in either unit, and epoll_wait has no timespec
  // to copy.
  const bool needs_unit = timeout_ns != 0 && timeout_ns != kForever;
  if (needs_unit && !use_milliseconds_) {
    const timespec timeout{.tv_sec = static_cast<time_t>(timeout_ns / kNsPerSecond),
                           .tv_nsec = static_cast<long>(timeout_ns % kNsPerSecond)};
    const int result = ::epoll_pwait2(epoll_fd, events.data(), capacity, &timeout, nullptr);
    const base::Errno error = base::last_error();
    if (result >= 0 || error.value != ENOSYS) {
      return event_count(result, error);
    }
    use_milliseconds_ = true;
  }
  const int result = ::epoll_wait(epoll_fd, events.data(), capacity, milliseconds(timeout_ns));
  return event_count(result, base::last_error());
}

}  // namespace epoll_reference
