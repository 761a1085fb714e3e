#include "docs/epoll_reference/http/file_cache.hpp"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <climits>

#include "common/base/check.hpp"
#include "common/http/content_type.hpp"
#include "docs/epoll_reference/http/open_beneath.hpp"

namespace epoll_reference {

namespace {

FileVersion version_of(const struct stat& status) {
  return {.size = static_cast<std::uint64_t>(status.st_size),
          .modified_s = status.st_mtim.tv_sec,
          .modified_ns = status.st_mtim.tv_nsec};
}

Lookup lookup_of(base::Errno error) {
  switch (error.value) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP:  // too many symlinks, or one of /proc
    case EXDEV:  // out of the root
    case ENXIO:  // a socket, or a device without a driver
    case ENODEV:
      return Lookup::Missing;
    case EACCES:
    case EPERM:
      return Lookup::Forbidden;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:
    case EINTR:
      return Lookup::Busy;
    default:
      return Lookup::Failed;
  }
}

Lookup lookup_of(const struct stat& status) {
  if (S_ISREG(status.st_mode)) {
    return Lookup::File;
  }
  return S_ISDIR(status.st_mode) ? Lookup::Folder : Lookup::Missing;
}

}  // namespace

base::Result<FileVersion> file_version(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) {
    return base::fail(base::last_error());
  }
  return version_of(status);
}

FileCache::FileCache(int root, std::size_t capacity, std::uint64_t recheck_ns)
    : root_(root), capacity_(capacity), recheck_ns_(recheck_ns) {
  by_path_.reserve(capacity_);
}

FileCache::~FileCache() {
  while (oldest_ != nullptr) {
    remove(*oldest_);
  }
  CHECK(counters_.files_open == 0, "a response must not outlive the cache");
}

Lookup FileCache::find(std::string_view path, std::uint64_t now_ns, FileUse& file) {
  const auto found = by_path_.find(path);
  if (found == by_path_.end()) {
    ++counters_.cache_misses;
    return take(open(path, now_ns), file);
  }
  OpenFile& known = *found->second;
  file = FileUse(&known);  // from here on, so that making room for a descriptor does not evict it
  if (is_current(known, now_ns)) {
    ++counters_.cache_hits;
    move_to_newest(known);
    return Lookup::File;
  }
  ++counters_.cache_rechecks;
  Opened opened = open(path, now_ns);
  if (still_names(opened, known, now_ns)) {
    move_to_newest(known);
    return Lookup::File;
  }
  ++counters_.cache_replaced;
  remove(known);
  return take(std::move(opened), file);
}

Lookup FileCache::take(Opened opened, FileUse& file) {
  file.reset();
  if (opened.lookup == Lookup::File) {
    OpenFile& added = *opened.file.release();
    ++counters_.files_open;
    file = FileUse(&added);
    insert(added);
  }
  return opened.lookup;
}

bool FileCache::evict_one() {
  for (OpenFile* file = oldest_; file != nullptr; file = file->newer) {
    if (file->uses == 0) {
      ++counters_.cache_evictions;
      remove(*file);
      return true;
    }
  }
  return false;
}

FileCache::Opened FileCache::open(std::string_view path, std::uint64_t now_ns) {
  std::array<char, PATH_MAX> terminated;
  if (path.size() >= terminated.size()) {
    return {.lookup = Lookup::Missing, .file = nullptr};
  }
  terminated[path.copy(terminated.data(), path.size())] = '\0';
  base::Result<base::UniqueFd> fd = open_evicting(terminated.data());
  if (!fd) {
    return {.lookup = lookup_of(fd.error()), .file = nullptr};
  }
  struct stat status {};
  if (::fstat(fd->get(), &status) != 0) {
    return {.lookup = Lookup::Failed, .file = nullptr};
  }
  Opened opened{.lookup = lookup_of(status), .file = nullptr};
  if (opened.lookup == Lookup::File) {
    opened.file = std::make_unique<OpenFile>();
    OpenFile& file = *opened.file;
    file.fd = std::move(*fd);
    file.cache = this;
    file.path = path;
    file.device = status.st_dev;
    file.inode = status.st_ino;
    file.looked_at_ns = now_ns;
    file.opened_ns = now_ns;
    file.content_type = http::content_type(path);
    file.version = version_of(status);
  }
  return opened;
}

base::Result<base::UniqueFd> FileCache::open_evicting(const char* path) {
  while (true) {
    base::Result<base::UniqueFd> fd = open_beneath(root_, path);
    const bool out_of_descriptors =
        !fd && (fd.error().value == EMFILE || fd.error().value == ENFILE);
    if (!out_of_descriptors || !evict_one()) {
      return fd;
    }
  }
}

bool FileCache::is_current(OpenFile& file, std::uint64_t now_ns) const {
  return now_ns == file.looked_at_ns ||
         (now_ns - file.opened_ns < recheck_ns_ && look_at(file, now_ns));
}

bool FileCache::look_at(OpenFile& file, std::uint64_t now_ns) {
  struct stat status {};
  if (::fstat(file.fd.get(), &status) != 0 || status.st_nlink == 0) {
    return false;
  }
  file.looked_at_ns = now_ns;
  file.version = version_of(status);
  return true;
}

bool FileCache::still_names(const Opened& opened, OpenFile& known, std::uint64_t now_ns) {
  if (opened.lookup == Lookup::File && opened.file->device == known.device &&
      opened.file->inode == known.inode) {
    known.opened_ns = now_ns;
    known.looked_at_ns = now_ns;
    known.version = opened.file->version;
    return true;
  }
  // Without a descriptor to spare, the file that we have is better than none.
  return opened.lookup == Lookup::Busy && look_at(known, now_ns);
}

void FileCache::move_to_newest(OpenFile& file) {
  if (newest_ != &file) {
    unlink(file);
    link_newest(file);
  }
}

void FileCache::insert(OpenFile& file) {
  if (capacity_ == 0) {
    return;
  }
  if (by_path_.size() == capacity_) {
    ++counters_.cache_evictions;
    remove(*oldest_);
  }
  file.cached = true;
  by_path_.emplace(file.path, &file);
  link_newest(file);
}

void FileCache::remove(OpenFile& file) {
  by_path_.erase(file.path);
  unlink(file);
  file.cached = false;
  if (file.uses == 0) {
    close(file);
  }
}

void FileCache::link_newest(OpenFile& file) {
  file.newer = nullptr;
  file.older = newest_;
  (newest_ == nullptr ? oldest_ : newest_->newer) = &file;
  newest_ = &file;
}

void FileCache::unlink(OpenFile& file) {
  (file.newer == nullptr ? newest_ : file.newer->older) = file.older;
  (file.older == nullptr ? oldest_ : file.older->newer) = file.newer;
}

void FileCache::close(OpenFile& file) {
  --counters_.files_open;
  delete &file;
}

}  // namespace epoll_reference
