#pragma once
// What a server process has used so far, over all its threads.

#include <sys/types.h>

#include <cstdint>

#include "common/base/errno.hpp"

namespace load_client {

struct ServerUsage {
  std::uint64_t cpu_ns = 0;
  std::uint64_t voluntary_switches = 0;  // it went to sleep
  std::uint64_t involuntary_switches = 0;

  ServerUsage& operator+=(const ServerUsage& other);
  [[nodiscard]] ServerUsage since(const ServerUsage& earlier) const;
};

// From the CPU clock and /proc/PID/task/*/status. Threads that have ended are in the CPU time only.
// ESRCH, ENOENT: there is no such process.
[[nodiscard]] base::Result<ServerUsage> read_server_usage(pid_t pid);

struct ServerMemory {
  std::uint64_t rss_bytes = 0;
  std::uint64_t rss_max_bytes = 0;
};

[[nodiscard]] base::Result<ServerMemory> read_server_memory(pid_t pid);

}  // namespace load_client
