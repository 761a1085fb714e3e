#include "docs/epoll_reference/http/file_cache.hpp"

#include <array>
#include <cerrno>
#include <climits>

#include "common/base/check.hpp"
#include "common/http/content_type.hpp"
#include "docs/epoll_reference/http/open_beneath.hpp"

namespace epoll_reference {

base::Result<FileVersion> file_version(int fd) {
  const auto status = support::file_status(fd);
  return status ? base::Result<FileVersion>(support::version_of(*status))
                : base::fail(status.error());
}

FileCache::FileCache(int root, std::size_t capacity, std::uint64_t recheck_ns)
    : root_(root), capacity_(capacity), recheck_ns_(recheck_ns) {
  by_path_.reserve(capacity_);
}

FileCache::~FileCache() {
  while (OpenFile* file = order_.oldest()) {
    remove(*file);
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
    order_.use(known);
    return Lookup::File;
  }
  ++counters_.cache_rechecks;
  Opened opened = open(path, now_ns);
  if (still_names(opened, known, now_ns)) {
    order_.use(known);
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
  for (OpenFile* file = order_.oldest(); file != nullptr; file = file->newer) {
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
    return {.lookup = http::lookup_of(fd.error()), .file = nullptr};
  }
  const auto status = support::file_status(fd->get());
  if (!status) {
    return {.lookup = Lookup::Failed, .file = nullptr};
  }
  Opened opened{.lookup = http::lookup_of(status->st_mode), .file = nullptr};
  if (opened.lookup == Lookup::File) {
    opened.file = std::make_unique<OpenFile>();
    OpenFile& file = *opened.file;
    file.fd = std::move(*fd);
    file.cache = this;
    file.path = path;
    file.device = status->st_dev;
    file.inode = status->st_ino;
    file.looked_at_ns = now_ns;
    file.opened_ns = now_ns;
    file.content_type = http::content_type(path);
    file.version = support::version_of(*status);
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
  const auto status = support::file_status(file.fd.get());
  if (!status || status->st_nlink == 0) {
    return false;
  }
  file.looked_at_ns = now_ns;
  file.version = support::version_of(*status);
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

void FileCache::insert(OpenFile& file) {
  if (capacity_ == 0) {
    return;
  }
  if (by_path_.size() == capacity_) {
    ++counters_.cache_evictions;
    remove(*order_.oldest());
  }
  file.cached = true;
  by_path_.emplace(file.path, &file);
  order_.add(file);
}

void FileCache::remove(OpenFile& file) {
  by_path_.erase(file.path);
  order_.remove(file);
  file.cached = false;
  if (file.uses == 0) {
    close(file);
  }
}

void FileCache::close(OpenFile& file) {
  --counters_.files_open;
  delete &file;
}

}  // namespace epoll_reference
