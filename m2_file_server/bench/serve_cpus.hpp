#pragma once
// Servers on one CPU and the client on another, so that each server has the same single core.

#include <optional>

namespace file_server::serve_bench {

struct Cpus {
  std::optional<int> server;  // nothing: we may not choose
  std::optional<int> client;

  [[nodiscard]] bool are_shared() const { return server == client; }
};

// The first and the last of those that this process may run on, which are one if it has only one.
// The calling thread is on the client's afterwards.
[[nodiscard]] Cpus choose_cpus();

// Moves the calling thread, and the threads that it starts later. False: that is not allowed.
[[nodiscard]] bool pin_to(int cpu);

}  // namespace file_server::serve_bench
