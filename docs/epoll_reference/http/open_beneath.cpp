#include "docs/epoll_reference/http/open_beneath.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace epoll_reference {

namespace {

// A rename may race with the ".." of a symlink: the kernel then gives up with EAGAIN rather than
// follow it to where it should not. Whoever renames all the time gets an error, not our CPU.
constexpr int kAttempts = 8;

base::Result<base::UniqueFd> open_with(int folder, const char* path, open_how how) {
  for (int attempt = 1;; ++attempt) {
    const long fd = ::syscall(SYS_openat2, folder, path, &how, sizeof how);
    if (fd >= 0) {
      return base::UniqueFd(static_cast<int>(fd));
    }
    const base::Errno error = base::last_error();
    if ((error.value != EAGAIN && error.value != EINTR) || attempt == kAttempts) {
      return base::fail(error);
    }
  }
}

}  // namespace

base::Result<base::UniqueFd> open_root(const char* folder) {
  open_how how{};
  how.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  return open_with(AT_FDCWD, folder, how);
}

base::Result<base::UniqueFd> open_beneath(int root, const char* path) {
  open_how how{};
  how.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return open_with(root, path, how);
}

}  // namespace epoll_reference
