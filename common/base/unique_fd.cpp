#include "common/base/unique_fd.hpp"

#include <unistd.h>

#include <cerrno>

#include "common/base/check.hpp"

namespace base {

void UniqueFd::reset(int fd) {
  if (fd_ >= 0 && ::close(fd_) != 0) {
    // EINTR and EIO have closed it all the same on Linux (close(2)); EBADF means that somebody
    // else closed a descriptor we own, and the number may be another file by now.
    CHECK(errno != EBADF, "a descriptor we own was closed behind our back");
  }
  fd_ = fd;
}

}  // namespace base
