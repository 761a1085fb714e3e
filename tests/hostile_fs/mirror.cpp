#include "tests/hostile_fs/mirror.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

#include "tests/hostile_fs/fuse_library.hpp"

namespace hostile_fs {

namespace {

const Mirror& mirror() {
  return *static_cast<const Mirror*>(fuse_get_context()->private_data);
}

// FUSE's paths begin with the slash of our root.
const char* below_source(const char* path) {
  return path[1] == '\0' ? "." : path + 1;
}

int error_or(int result) {
  return result < 0 ? -errno : result;
}

void* start(fuse_conn_info* connection, fuse_config* config) {
  // KERNEL: so many asynchronous reads may be under way; who submits another one, to a ring as well,
  // waits for one to end. By default 12.
  connection->max_background = 256;
  // Without the page cache, which would ask again until it has what a reader wants: what we answer is
  // what a read gives. And without remembered attributes: stat is answered anew each time.
  config->direct_io = 1;
  config->use_ino = 1;
  config->attr_timeout = 0;
  config->entry_timeout = 0;
  config->negative_timeout = 0;
  std::printf("mounted on %s\n", mirror().mountpoint);
  std::fflush(stdout);
  return fuse_get_context()->private_data;
}

int get_attributes(const char* path, struct stat* attributes, fuse_file_info* file) {
  const int result = file != nullptr ? ::fstat(static_cast<int>(file->fh), attributes)
                                     : ::fstatat(mirror().source, below_source(path), attributes,
                                                 AT_SYMLINK_NOFOLLOW);
  if (result == 0 && S_ISREG(attributes->st_mode) && mirror().faults.claimed_size != kNever) {
    attributes->st_size = mirror().faults.claimed_size;
  }
  return error_or(result);
}

int read_link(const char* path, char* target, std::size_t size) {
  const ssize_t length = ::readlinkat(mirror().source, below_source(path), target, size - 1);
  if (length < 0) {
    return -errno;
  }
  target[length] = '\0';
  return 0;
}

int read_directory(const char* path, void* entries, fuse_fill_dir_t add, off_t, fuse_file_info*,
                   fuse_readdir_flags) {
  const int folder = ::openat(mirror().source, below_source(path), O_RDONLY | O_DIRECTORY);
  if (folder < 0) {
    return -errno;
  }
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::fdopendir(folder), ::closedir);
  if (directory == nullptr) {
    return -errno;
  }
  while (const dirent* entry = ::readdir(directory.get())) {
    add(entries, entry->d_name, nullptr, 0, fuse_fill_dir_flags{});
  }
  return 0;
}

int open_file(const char* path, fuse_file_info* file) {
  if (mirror().faults.refuse_direct && (file->flags & O_DIRECT) != 0) {
    return -EINVAL;
  }
  const int fd = ::openat(mirror().source, below_source(path), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return -errno;
  }
  file->fh = static_cast<std::uint64_t>(fd);
  return 0;
}

int read_file(const char*, char* into, std::size_t size, off_t offset, fuse_file_info* file) {
  const Faults& faults = mirror().faults;
  if (faults.delay_ms > 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(faults.delay_ms));
  }
  std::size_t most = std::min(size, static_cast<std::size_t>(faults.piece_bytes));
  if (faults.error_at != kNever) {
    if (offset >= faults.error_at) {
      return -EIO;
    }
    most = std::min(most, static_cast<std::size_t>(faults.error_at - offset));
  }
  return error_or(static_cast<int>(::pread(static_cast<int>(file->fh), into, most, offset)));
}

int close_file(const char*, fuse_file_info* file) {
  return error_or(::close(static_cast<int>(file->fh)));
}

fuse_operations make_operations() {
  fuse_operations operations{};
  operations.init = start;
  operations.getattr = get_attributes;
  operations.readlink = read_link;
  operations.readdir = read_directory;
  operations.open = open_file;
  operations.read = read_file;
  operations.release = close_file;
  return operations;
}

}  // namespace

const fuse_operations& mirror_operations() {
  static const fuse_operations operations = make_operations();
  return operations;
}

}  // namespace hostile_fs
