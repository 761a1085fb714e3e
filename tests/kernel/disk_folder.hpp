#pragma once
// A folder for files on a real file system: beside the test program, because a temporary folder may
// well be in memory. It goes with all that is in it.

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "common/base/check.hpp"
#include "common/base/unique_fd.hpp"
#include "tests/kernel/test_files.hpp"

namespace kernel_test {

class DiskFolder {
 public:
  DiskFolder() {
    const auto program = std::filesystem::read_symlink("/proc/self/exe");
    path_ = (program.parent_path() / "kernel_test.XXXXXX").string();
    CHECK(::mkdtemp(path_.data()) != nullptr, "no folder can be made beside the test program");
    fd_.reset(::open(path_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    CHECK(fd_.valid());
  }
  DiskFolder(const DiskFolder&) = delete;
  DiskFolder& operator=(const DiskFolder&) = delete;
  ~DiskFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] std::string path_of(const std::string& name) const { return path_ + "/" + name; }

  // A new file, open for reading and writing.
  [[nodiscard]] base::UniqueFd make(const std::string& name, std::string_view content) const {
    base::UniqueFd file(::open(path_of(name).c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    CHECK(file.valid());
    write_text(file.get(), content);
    return file;
  }

 private:
  std::string path_;
  base::UniqueFd fd_;
};

// The kind of file system behind a descriptor: a *_MAGIC of linux/magic.h.
inline std::uint64_t file_system_of(int fd) {
  struct statfs where {};
  CHECK(::fstatfs(fd, &where) == 0);
  return static_cast<std::uint64_t>(where.f_type);
}

// ext4, XFS and btrfs: they have O_DIRECT, and can try a read without blocking.
inline bool is_disk_file_system(int fd) {
  const std::uint64_t magic = file_system_of(fd);
  return magic == EXT4_SUPER_MAGIC || magic == XFS_SUPER_MAGIC || magic == BTRFS_SUPER_MAGIC;
}

}  // namespace kernel_test
