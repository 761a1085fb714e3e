#pragma once
// Makes io_uring_enter fail on purpose: errors that a healthy kernel gives only when it is out of
// memory, or that only older kernels give.

#include <sys/syscall.h>

#include <cstdint>

#include <gtest/gtest.h>

#include "common/base/errno.hpp"
#include "tests/kernel/supervised_calls.hpp"

namespace kernel_test {

// The arguments of one io_uring_enter.
struct EnterCall {
  std::uint64_t to_submit;
  std::uint64_t min_complete;
  std::uint64_t flags;
};

// Runs `body` on a thread of its own. `fault(EnterCall)` is asked about each io_uring_enter that it
// makes: 0 lets it through, an errno makes it fail without reaching io_uring. Returns an error when
// the machine does not allow such a filter; `body` has not run then.
template <class Fault, class Body>
base::Result<void> with_enter_faults(Fault fault, Body body) {
  const auto answer = [&](const seccomp_data& call) {
    const int error = fault(
        EnterCall{.to_submit = call.args[1], .min_complete = call.args[2], .flags = call.args[3]});
    return CallAnswer{.let_through = error == 0, .error = error};
  };
  return with_supervised_calls({SYS_io_uring_enter}, answer, body);
}

}  // namespace kernel_test

// In a TEST body: skips where with_enter_faults() could not set its filter.
#define SKIP_UNLESS_FILTERED(run)                                                       \
  do {                                                                                  \
    if (const auto filtered = (run); !filtered) {                                       \
      GTEST_SKIP() << "no seccomp filter can be set here: " << filtered.error().name(); \
    }                                                                                   \
  } while (false)
