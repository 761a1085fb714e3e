#include "m2_file_server/file_table.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <memory>

#include "common/base/check.hpp"
#include "common/http/content_type.hpp"
#include "m2_file_server/direct_io.hpp"

namespace file_server {
namespace {

FileVersion version_of(const struct stat& status) {
  return {.size = static_cast<std::uint64_t>(status.st_size),
          .modified_s = status.st_mtim.tv_sec,
          .modified_ns = status.st_mtim.tv_nsec};
}

base::Result<struct stat> status_of(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) {
    return base::fail(base::last_error());
  }
  return status;
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
    case ECANCELED:
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

FileTable::FileTable(uring::RegisteredFiles* places, const FileTableOptions& options)
    : places_(places), options_(options) {
  by_path_.reserve(options_.capacity);
  if (places_ != nullptr) {
    for (std::uint32_t place = places_->size(); place-- > 0;) {
      free_places_.push_back(static_cast<std::int32_t>(place));
    }
  }
}

FileTable::~FileTable() {
  while (oldest_ != nullptr) {
    remove(*oldest_);
  }
  CHECK(counters_.files_open == 0, "a response must not outlive the table");
}

Lookup FileTable::find(std::string_view path, std::uint64_t batch, std::uint64_t now_ns,
                       FileUse& file) {
  const auto found = by_path_.find(path);
  if (found == by_path_.end()) {
    ++counters_.cache_misses;
    return Lookup::MustOpen;
  }
  OpenFile& known = *found->second;
  if (!version(known, batch) || !known.linked) {
    ++counters_.cache_misses;
    ++counters_.cache_replaced;
    remove(known);
    return Lookup::MustOpen;
  }
  if (now_ns - known.opened_ns >= options_.recheck_ns && !known.rechecking) {
    ++counters_.cache_rechecks;
    known.rechecking = true;  // one asks, the others go on with what is known
    return Lookup::MustOpen;
  }
  ++counters_.cache_hits;
  move_to_newest(known);
  file = FileUse(&known);
  return Lookup::File;
}

Lookup FileTable::opened(std::string_view path, base::Result<base::UniqueFd> fd,
                         std::uint64_t batch, std::uint64_t now_ns, FileUse& file) {
  const auto found = by_path_.find(path);
  if (found == by_path_.end()) {
    return fd ? add(path, std::move(*fd), batch, now_ns, file) : lookup_of(fd.error());
  }
  OpenFile& known = *found->second;
  known.rechecking = false;
  if (!fd && lookup_of(fd.error()) == Lookup::Busy && version(known, batch)) {
    file = FileUse(
        &known);  // without a descriptor to spare, the file that we have is better than none
    return Lookup::File;
  }
  const auto status = fd ? status_of(fd->get()) : base::fail(fd.error());
  if (status && status->st_dev == known.device && status->st_ino == known.inode) {
    known.opened_ns = now_ns;
    known.looked_at_batch = batch;
    known.version = version_of(*status);
    known.linked = status->st_nlink > 0;
    move_to_newest(known);
    file = FileUse(&known);
    return Lookup::File;
  }
  ++counters_.cache_replaced;
  remove(known);
  return fd ? add(path, std::move(*fd), batch, now_ns, file) : lookup_of(fd.error());
}

Lookup FileTable::add(std::string_view path, base::UniqueFd fd, std::uint64_t batch,
                      std::uint64_t now_ns, FileUse& file) {
  const auto status = status_of(fd.get());
  if (!status) {
    return Lookup::Failed;
  }
  if (const Lookup lookup = lookup_of(*status); lookup != Lookup::File) {
    return lookup;
  }
  OpenFile& added = *std::make_unique<OpenFile>().release();
  added.table = this;
  added.alignment = options_.direct ? direct_alignment(fd.get()) : 1;
  added.fd = std::move(fd);
  added.path = path;
  added.device = status->st_dev;
  added.inode = status->st_ino;
  added.version = version_of(*status);
  added.linked = status->st_nlink > 0;
  added.looked_at_batch = batch;
  added.opened_ns = now_ns;
  added.content_type = http::content_type(path);
  added.next_open = first_open_;
  if (first_open_ != nullptr) {
    first_open_->previous_open = &added;
  }
  first_open_ = &added;
  ++counters_.files_open;
  file = FileUse(&added);
  insert(added);
  return Lookup::File;
}

bool FileTable::evict_one() {
  for (OpenFile* file = oldest_; file != nullptr; file = file->newer) {
    if (file->uses == 0) {
      ++counters_.cache_evictions;
      remove(*file);
      return true;
    }
  }
  return false;
}

base::Result<FileVersion> FileTable::version(OpenFile& file, std::uint64_t batch) {
  if (file.looked_at_batch != batch) {
    const auto status = status_of(file.fd.get());
    if (!status) {
      return base::fail(status.error());
    }
    file.version = version_of(*status);
    file.linked = status->st_nlink > 0;
    file.looked_at_batch = batch;
  }
  return file.version;
}

// A file that finds neither room nor anything to evict is used once and closed.
void FileTable::insert(OpenFile& file) {
  if (options_.capacity == 0 || (by_path_.size() == options_.capacity && !evict_one())) {
    return;
  }
  file.cached = true;
  by_path_.emplace(file.path, &file);
  link_newest(file);
  take_place(file);
}

void FileTable::remove(OpenFile& file) {
  by_path_.erase(file.path);
  unlink(file);
  file.cached = false;
  if (file.uses == 0) {
    close(file);
  }
}

// [snippet: take_place]
void FileTable::take_place(OpenFile& file) {
  if (places_ == nullptr || free_places_.empty()) {
    return;  // every place is in use: this file is read by its descriptor
  }
  const std::int32_t place = free_places_.back();
  if (places_->set(static_cast<std::uint32_t>(place), file.fd.get())) {  // else ENOMEM: the same
    free_places_.pop_back();
    file.place = place;
    ++counters_.files_registered;
  }
}
// [/snippet]

void FileTable::leave_place(OpenFile& file) {
  if (file.place != kNoPlace) {
    CHECK(places_->clear(static_cast<std::uint32_t>(file.place)).has_value(),
          "the place is in the table");
    free_places_.push_back(file.place);
    file.place = kNoPlace;
    --counters_.files_registered;
  }
}

void FileTable::close(OpenFile& file) {
  leave_place(file);
  (file.previous_open == nullptr ? first_open_ : file.previous_open->next_open) = file.next_open;
  if (file.next_open != nullptr) {
    file.next_open->previous_open = file.previous_open;
  }
  --counters_.files_open;
  delete &file;
}

void FileTable::move_to_newest(OpenFile& file) {
  if (newest_ != &file) {
    unlink(file);
    link_newest(file);
  }
}

void FileTable::link_newest(OpenFile& file) {
  file.newer = nullptr;
  file.older = newest_;
  (newest_ == nullptr ? oldest_ : newest_->newer) = &file;
  newest_ = &file;
}

void FileTable::unlink(OpenFile& file) {
  (file.newer == nullptr ? newest_ : file.newer->older) = file.older;
  (file.older == nullptr ? oldest_ : file.older->newer) = file.newer;
}

std::string FileTable::as_text() const {
  constexpr unsigned kMostRows = 64;
  std::string text = "file table\nslot  uses  size  path\n";
  unsigned rows = 0;
  for (const OpenFile* file = first_open_; file != nullptr && rows < kMostRows;
       file = file->next_open, ++rows) {
    text += (file->place == kNoPlace ? "-" : std::to_string(file->place)) + "  " +
            std::to_string(file->uses) + "  " + std::to_string(file->version.size) + "  " +
            file->path + '\n';
  }
  return text;
}

}  // namespace file_server
