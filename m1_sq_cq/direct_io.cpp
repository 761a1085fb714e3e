#include "m1_sq_cq/direct_io.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "common/base/errno.hpp"
#include "m1_sq_cq/text.hpp"

namespace m1 {

std::expected<DirectFile, std::string> open_direct(const std::string& path) {
  base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
  if (!fd.valid()) {
    return std::unexpected(text("the file system of %s refuses O_DIRECT (%s)", path.c_str(),
                                base::last_error().name()));
  }
  struct statfs file_system {};
  if (::fstatfs(fd.get(), &file_system) == 0 && file_system.f_type == TMPFS_MAGIC) {
    // KERNEL(6.6): before, the open failed.
    return std::unexpected(
        text("%s is on tmpfs, which takes O_DIRECT and ignores it: it is all page "
             "cache; TMPDIR may name a directory on a disk",
             path.c_str()));
  }
  DirectFile file{
      .fd = std::move(fd), .memory_align = 4096, .offset_align = 4096, .alignment_stated = false};
  struct statx status {};
  if (::statx(file.fd.get(), "", AT_EMPTY_PATH, STATX_DIOALIGN, &status) == 0 &&
      (status.stx_mask & STATX_DIOALIGN) != 0) {
    if (status.stx_dio_mem_align == 0) {
      return std::unexpected(
          text("the file system says that %s cannot be read past the page cache", path.c_str()));
    }
    file.memory_align = status.stx_dio_mem_align;
    file.offset_align = status.stx_dio_offset_align;
    file.alignment_stated = true;
  }
  return file;
}

}  // namespace m1
