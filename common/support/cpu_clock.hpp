#pragma once
// Times in nanoseconds: the monotonic clock, and how much CPU a thread or a process has used.

#include <sys/types.h>

#include <cstdint>

#include "common/base/errno.hpp"

namespace support {

// CLOCK_MONOTONIC: since some start that means nothing by itself. Not set back by anybody.
[[nodiscard]] std::uint64_t now_ns();

// CPU time, user and kernel together, that the calling thread has used.
[[nodiscard]] std::uint64_t thread_cpu_ns();

// The same for all threads of the calling process, those that have ended included.
[[nodiscard]] std::uint64_t process_cpu_ns();

// The same for another process. ESRCH: there is no such process (or it has gone meanwhile).
// EPERM: the system does not let us ask.
[[nodiscard]] base::Result<std::uint64_t> process_cpu_ns(pid_t pid);

}  // namespace support
