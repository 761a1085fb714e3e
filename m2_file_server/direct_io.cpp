#include "m2_file_server/direct_io.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <bit>

namespace file_server {
namespace {

constexpr std::uint32_t kAssumedAlignment = 4096;

}  // namespace

std::uint32_t direct_alignment(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags == -1 || (flags & O_DIRECT) == 0) {
    return 1;
  }
#if defined(STATX_DIOALIGN)
  struct statx status {};
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &status) == 0 &&
      (status.stx_mask & STATX_DIOALIGN) != 0 && status.stx_dio_offset_align != 0 &&
      status.stx_dio_offset_align <= kAssumedAlignment &&
      std::has_single_bit(status.stx_dio_offset_align)) {
    return status.stx_dio_offset_align;
  }
#endif
  return kAssumedAlignment;
}

}  // namespace file_server
