#pragma once
// Why a ring could not be set up, in one sentence that names the knob.

#include <optional>
#include <string>

#include "common/base/errno.hpp"

namespace uring {

// What the machine says about io_uring. Separate from reading it, so that a test can state it.
struct SetupSurroundings {
  std::optional<int> io_uring_disabled;  // the sysctl kernel.io_uring_disabled; none before 6.6
  bool seccomp_filter = false;           // "Seccomp: 2" in /proc/self/status
};

[[nodiscard]] SetupSurroundings read_setup_surroundings();

// The sentence for this error in these surroundings.
[[nodiscard]] std::string explain_setup_failure(base::Errno error,
                                                const SetupSurroundings& surroundings);
// The same in the surroundings of this process.
[[nodiscard]] std::string explain_setup_failure(base::Errno error);

}  // namespace uring
