#include "m2_file_server/file_table.hpp"

#include <memory>

#include "common/base/check.hpp"
#include "common/http/content_type.hpp"
#include "m2_file_server/direct_io.hpp"

namespace file_server {

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
  while (OpenFile* file = order_.oldest()) {
    remove(*file);
  }
  CHECK(counters_.files_open == 0, "a response must not outlive the table");
}

bool FileTable::find(std::string_view path, std::uint64_t batch, std::uint64_t now_ns,
                     FileUse& file) {
  const auto found = by_path_.find(path);
  if (found == by_path_.end()) {
    ++counters_.cache_misses;
    return false;
  }
  OpenFile& known = *found->second;
  if (!version(known, batch) || !known.linked) {
    ++counters_.cache_misses;
    ++counters_.cache_replaced;
    remove(known);
    return false;
  }
  if (now_ns - known.opened_ns >= options_.recheck_ns && !known.rechecking) {
    ++counters_.cache_rechecks;
    known.rechecking = true;  // one asks, the others go on with what is known
    return false;
  }
  ++counters_.cache_hits;
  order_.use(known);
  file = FileUse(&known);
  return true;
}

Lookup FileTable::opened(std::string_view path, base::Result<base::UniqueFd> fd,
                         std::uint64_t batch, std::uint64_t now_ns, FileUse& file) {
  const auto found = by_path_.find(path);
  if (found == by_path_.end()) {
    return fd ? add(path, std::move(*fd), batch, now_ns, file) : http::lookup_of(fd.error());
  }
  OpenFile& known = *found->second;
  known.rechecking = false;
  if (!fd && http::lookup_of(fd.error()) == Lookup::Busy && version(known, batch)) {
    file = FileUse(
        &known);  // without a descriptor to spare, the file that we have is better than none
    return Lookup::File;
  }
  const auto status = fd ? support::file_status(fd->get()) : base::fail(fd.error());
  if (status && status->st_dev == known.device && status->st_ino == known.inode) {
    known.opened_ns = now_ns;
    known.looked_at_batch = batch;
    known.version = support::version_of(*status);
    known.linked = status->st_nlink > 0;
    order_.use(known);
    file = FileUse(&known);
    return Lookup::File;
  }
  ++counters_.cache_replaced;
  remove(known);
  return fd ? add(path, std::move(*fd), batch, now_ns, file) : http::lookup_of(fd.error());
}

Lookup FileTable::add(std::string_view path, base::UniqueFd fd, std::uint64_t batch,
                      std::uint64_t now_ns, FileUse& file) {
  const auto status = support::file_status(fd.get());
  if (!status) {
    return Lookup::Failed;
  }
  if (const Lookup lookup = http::lookup_of(status->st_mode); lookup != Lookup::File) {
    return lookup;
  }
  OpenFile& added = *std::make_unique<OpenFile>().release();
  added.table = this;
  added.alignment = options_.direct ? direct_alignment(fd.get()) : 1;
  added.fd = std::move(fd);
  added.path = path;
  added.device = status->st_dev;
  added.inode = status->st_ino;
  added.version = support::version_of(*status);
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
  for (OpenFile* file = order_.oldest(); file != nullptr; file = file->newer) {
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
    const auto status = support::file_status(file.fd.get());
    if (!status) {
      return base::fail(status.error());
    }
    file.version = support::version_of(*status);
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
  order_.add(file);
  take_place(file);
}

void FileTable::remove(OpenFile& file) {
  by_path_.erase(file.path);
  order_.remove(file);
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
