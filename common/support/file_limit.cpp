#include "common/support/file_limit.hpp"

#include <fcntl.h>
#include <sys/resource.h>

#include <cinttypes>
#include <cstdio>

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

std::uint32_t connection_limit(const char* program, std::uint32_t wanted, std::uint64_t spare,
                               int open_fd) {
  const std::uint64_t free_fds = raise_file_limit(open_fd);
  const std::uint64_t room = free_fds > spare ? free_fds - spare : 1;
  if (room >= wanted) {
    return wanted;
  }
  std::fprintf(stderr,
               "%s: warning: room for %" PRIu64 " connections instead of %" PRIu32
               ": the limit on open files is too low (`ulimit -Hn`)\n",
               program, room, wanted);
  return static_cast<std::uint32_t>(room);
}

}  // namespace support
