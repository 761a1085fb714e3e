#pragma once
// A child process that does not outlive us, whichever way we end.

#include <sys/types.h>

#include <functional>
#include <optional>

#include "common/base/errno.hpp"

namespace file_server::serve_bench {

class Child {
 public:
  // A copy of this process runs `run` on `cpu` (nothing: on any), with no signal blocked, and exits
  // with status 1 if that returns. We must have one thread only. EAGAIN, ENOMEM.
  [[nodiscard]] static base::Result<Child> spawn(std::optional<int> cpu,
                                                 const std::function<void()>& run);

  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  [[nodiscard]] pid_t pid() const { return pid_; }

  // SIGTERM, and SIGKILL for one that has not ended after two seconds. The status is that of
  // waitpid(2). Once only.
  int stop();

 private:
  explicit Child(pid_t pid) : pid_(pid) {}

  pid_t pid_;  // 0: reaped, or moved away
};

}  // namespace file_server::serve_bench
