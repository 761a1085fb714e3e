#include "common/support/file_limit.hpp"

#include <fcntl.h>
#include <sys/resource.h>

#include "common/base/check.hpp"
#include "common/base/unique_fd.hpp"

namespace support {

std::uint64_t raise_file_limit(int open_fd) {
  rlimit limit{};
  CHECK(::getrlimit(RLIMIT_NOFILE, &limit) == 0, "fails only on a bad pointer");
  // EPERM if fs.nr_open has been set below the hard limit since: then it stays as it is.
  if (const rlimit raised{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
      ::setrlimit(RLIMIT_NOFILE, &raised) == 0) {
    limit = raised;
  }

  // The kernel gives the lowest number that is free, and none from the limit up. So the number of
  // the next one says how many are taken, unless we were started with gaps between them.
  const base::UniqueFd next(::fcntl(open_fd, F_DUPFD_CLOEXEC, 0));
  return next.valid() ? limit.rlim_cur - static_cast<std::uint64_t>(next.get()) : 0;
}

}  // namespace support
