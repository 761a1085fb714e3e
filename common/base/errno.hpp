#pragma once
// Errors as values. The kernel reports them in two ways: a system call returns -1 and sets errno,
// a completion carries -errno in its res. Both become an Errno here, and errno itself is read
// in one place only (common/uring/syscalls.cpp for the ring, base::last_error() elsewhere).

#include <expected>

namespace base {

struct Errno {
  int value = 0;  // positive, as in <cerrno>: ENOENT, not -ENOENT

  // "ENOENT"; "E?" for a number that this machine has no name for.
  [[nodiscard]] const char* name() const;
  // "No such file or directory". Owned by the C library, never null.
  [[nodiscard]] const char* message() const;

  friend bool operator==(Errno, Errno) = default;
};

template <class T>
using Result = std::expected<T, Errno>;

// `return base::fail(EINVAL);` in a function that returns a Result.
[[nodiscard]] inline std::unexpected<Errno> fail(int error) {
  return std::unexpected(Errno{error});
}
[[nodiscard]] inline std::unexpected<Errno> fail(Errno error) {
  return std::unexpected(error);
}

// Success or the same error, without the value. (std::expected has no transform() in GCC 12.)
template <class T>
[[nodiscard]] Result<void> without_value(const Result<T>& result) {
  return result ? Result<void>{} : fail(result.error());
}

// The calling thread's errno, to be asked right after the call that failed.
[[nodiscard]] Errno last_error();

}  // namespace base
