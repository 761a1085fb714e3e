#pragma once
// Some system calls of one thread, each answered by us: let through, or made to fail or to return
// without the kernel's doing anything.
//
// A seccomp filter on the thread hands these calls to a supervisor in this process. The filter cannot
// be taken off again, but it ends with its thread. Linux 5.5 (SECCOMP_USER_NOTIF_FLAG_CONTINUE).

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
#include <initializer_list>
#include <thread>
#include <vector>

#include "common/base/check.hpp"
#include "common/base/errno.hpp"
#include "common/base/unique_fd.hpp"

namespace kernel_test {

struct CallAnswer {
  bool let_through = false;
  int error = 0;           // else: it fails with this errno
  std::int64_t value = 0;  // else: it returns this
};

// Puts the filter on the calling thread. Returns the supervisor's descriptor.
inline base::Result<base::UniqueFd> filter_calls(std::initializer_list<std::uint32_t> numbers) {
  constexpr auto kNumber = static_cast<std::uint32_t>(offsetof(seccomp_data, nr));
  std::vector<sock_filter> program{{BPF_LD | BPF_W | BPF_ABS, 0, 0, kNumber}};
  for (const std::uint32_t number : numbers) {
    program.push_back({BPF_JMP | BPF_JEQ | BPF_K, 0, 1, number});
    program.push_back({BPF_RET | BPF_K, 0, 0, SECCOMP_RET_USER_NOTIF});
  }
  program.push_back({BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW});
  const sock_fprog filter{.len = static_cast<unsigned short>(program.size()),
                          .filter = program.data()};
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

// Runs `body` on a thread of its own. `answer(seccomp_data)`, a CallAnswer, is asked about each call
// with one of these numbers that it makes; the thread stands still meanwhile. Returns an error when
// the machine does not allow such a filter; `body` has not run then.
template <class Answer, class Body>
base::Result<void> with_supervised_calls(std::initializer_list<std::uint32_t> numbers,
                                         Answer answer, Body body) {
  std::promise<base::Result<int>> listener_known;
  auto listener_future = listener_known.get_future();
  std::thread thread([&] {
    auto listener = filter_calls(numbers);
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
    const CallAnswer given = answer(call.data);
    seccomp_notif_resp response{};
    response.id = call.id;
    response.error = -given.error;
    response.val = given.value;
    response.flags = given.let_through ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0;
    static_cast<void>(::ioctl(supervisor.get(), SECCOMP_IOCTL_NOTIF_SEND, &response));
  }
  thread.join();
  return {};
}

}  // namespace kernel_test
