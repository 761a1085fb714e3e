#pragma once
// The wait: by epoll_pwait2 with its nanoseconds where the kernel has it (5.11), else by
// epoll_wait, whose milliseconds are rounded up. Rounded down, the last fraction of one would be
// spent in a spin of waits that return at once; rounded up, a timer is late by up to one.

#include <sys/epoll.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace epoll_reference {

class Waiter {
 public:
  static constexpr std::uint64_t kForever = std::numeric_limits<std::uint64_t>::max();

  // How many events were written to the front of `events`: 0 when the time is over, or on a signal.
  [[nodiscard]] std::size_t wait(int epoll_fd, std::span<epoll_event> events,
                                 std::uint64_t timeout_ns);

 private:
  bool use_milliseconds_ = false;  // this kernel has no epoll_pwait2
};

}  // namespace epoll_reference
