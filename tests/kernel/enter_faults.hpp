#pragma once
// Makes io_uring_enter fail on purpose: errors that a healthy kernel gives only when it is out of
// memory, or that only older kernels give.
//
// A seccomp filter on one thread hands each of its io_uring_enter calls to a supervisor, who lets it
// through or answers it with an error. The filter cannot be taken off again, but it ends with its
// thread. Linux 5.5 (SECCOMP_USER_NOTIF_FLAG_CONTINUE).

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <future>
#include <thread>

#include "common/base/check.hpp"
#include "common/base/errno.hpp"
#include "common/base/unique_fd.hpp"

namespace kernel_test {

// The arguments of one io_uring_enter.
struct EnterCall {
  std::uint64_t to_submit;
  std::uint64_t min_complete;
  std::uint64_t flags;
};

// Puts the filter on the calling thread. Returns the supervisor's descriptor.
inline base::Result<base::UniqueFd> filter_enters() {
  constexpr auto kNumber = static_cast<std::uint32_t>(offsetof(seccomp_data, nr));
  sock_filter program[] = {
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, kNumber},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_io_uring_enter},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_USER_NOTIF},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  };
  const sock_fprog filter{.len = sizeof program / sizeof *program, .filter = program};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return base::fail(base::last_error());
  }
  const long fd =
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);
  if (fd < 0) {
    return base::fail(base::last_error());
  }
  return base::UniqueFd(static_cast<int>(fd));
}

// Runs `body` on a thread of its own. `fault(EnterCall)` is asked about each io_uring_enter that it
// makes: 0 lets it through, an errno makes it fail without reaching io_uring. Returns an error when
// the machine does not allow such a filter; `body` has not run then.
template <class Fault, class Body>
base::Result<void> with_enter_faults(Fault fault, Body body) {
  std::promise<base::Result<int>> listener_known;
  auto listener_future = listener_known.get_future();
  std::thread thread([&] {
    auto listener = filter_enters();
    if (!listener) {
      listener_known.set_value(base::fail(listener.error()));
      return;
    }
    listener_known.set_value(listener->release());
    body();
  });
  const auto listener = listener_future.get();
  if (!listener) {
    thread.join();
    return base::fail(listener.error());
  }
  const base::UniqueFd supervisor(*listener);
  for (;;) {
    pollfd waiting{.fd = supervisor.get(), .events = POLLIN, .revents = 0};
    CHECK(::poll(&waiting, 1, -1) == 1);
    if ((waiting.revents & POLLIN) == 0) {
      break;  // POLLHUP: the thread has ended
    }
    seccomp_notif call{};
    if (::ioctl(supervisor.get(), SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) {
      continue;  // the call was interrupted before we took it
    }
    const int error = fault(EnterCall{.to_submit = call.data.args[1],
                                      .min_complete = call.data.args[2],
                                      .flags = call.data.args[3]});
    seccomp_notif_resp answer{};
    answer.id = call.id;
    answer.error = -error;
    answer.flags = error == 0 ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0;
    static_cast<void>(::ioctl(supervisor.get(), SECCOMP_IOCTL_NOTIF_SEND, &answer));
  }
  thread.join();
  return {};
}

}  // namespace kernel_test
