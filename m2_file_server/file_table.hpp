#pragma once
// The files that are being served, open and with a place in the ring's table of registered files.
//
// What must hold:
// - A place is not given to another file while a response uses the file that has it. A READ that
//   the kernel has taken keeps its file, but one that is prepared and not yet submitted names only
//   the place: it would read whatever file is there when the kernel comes to it.
// - So with more files in use than places some have none; they are read by their descriptor.
// - A file that has been replaced or evicted stays open as long as something uses it. Open files
//   are bounded by the capacity and the responses under way.
// - A file is looked at by fstat once in each batch of completions that uses it: size and time are
//   then newer than whatever those completions have read. That also shows when it has lost its last
//   name, as when another file was renamed over it. For all other ways in which a path may come to
//   name another file, it is opened again every `recheck_ns`.
// - Only files are kept. That something is missing, or is a folder, is asked anew every time: a
//   cache of the answer "no" would be filled by whoever guesses names.
//
// Opening takes its way through the ring, so a lookup has two halves: find(), and if that finds
// nothing, an OPENAT2 whose result goes to opened(). fstat is a plain system call: IORING_OP_STATX
// always goes to a worker thread, which costs many times what the call does.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/base/errno.hpp"
#include "common/base/unique_fd.hpp"
#include "common/http/lookup.hpp"
#include "common/support/counters.hpp"
#include "common/support/file_version.hpp"
#include "common/support/use_order.hpp"
#include "common/uring/registered_files.hpp"

namespace file_server {

using http::Lookup;
using support::FileVersion;

inline constexpr std::int32_t kNoPlace = -1;

class FileTable;

// One open file. Its owner is the table together with the FileUses; all of one thread.
struct OpenFile {
  base::UniqueFd fd;
  std::int32_t place = kNoPlace;  // in the ring's table
  FileVersion version;
  std::string_view content_type;
  std::uint32_t alignment = 1;  // of offsets and lengths: more than 1 with O_DIRECT

  // The table's own.
  FileTable* table = nullptr;
  std::string path;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t looked_at_batch = 0;
  std::uint64_t opened_ns = 0;
  std::uint32_t uses = 0;
  bool linked = true;  // it has a name, when last looked at
  bool cached = false;
  bool rechecking = false;    // somebody is opening its path again
  OpenFile* newer = nullptr;  // in the order of last use
  OpenFile* older = nullptr;
  OpenFile* next_open = nullptr;  // all that are open, in no order
  OpenFile* previous_open = nullptr;
};

// Keeps a file open, and its place its own. Must be gone before the table.
class FileUse {
 public:
  FileUse() = default;
  explicit FileUse(OpenFile* file) : file_(file) { ++file->uses; }
  FileUse(const FileUse& other) : file_(other.file_) {
    if (file_ != nullptr) {
      ++file_->uses;
    }
  }
  FileUse(FileUse&& other) noexcept : file_(std::exchange(other.file_, nullptr)) {}
  FileUse& operator=(FileUse other) noexcept {
    std::swap(file_, other.file_);
    return *this;
  }
  ~FileUse() { reset(); }

  void reset();
  [[nodiscard]] explicit operator bool() const { return file_ != nullptr; }
  OpenFile* operator->() const { return file_; }
  OpenFile& operator*() const { return *file_; }

 private:
  OpenFile* file_ = nullptr;
};

struct FileTableCounters {
  std::uint64_t cache_hits = 0;
  std::uint64_t cache_misses = 0;
  std::uint64_t cache_evictions = 0;
  std::uint64_t cache_rechecks = 0;    // paths opened again
  std::uint64_t cache_replaced = 0;    // paths that named another file then, or none
  std::uint64_t files_open = 0;        // now, those in use alone included
  std::uint64_t files_registered = 0;  // now: those that have a place

  static constexpr auto list() {
    return std::to_array<support::Counter<FileTableCounters>>(
        {{"cache_hits", &FileTableCounters::cache_hits},
         {"cache_misses", &FileTableCounters::cache_misses},
         {"cache_evictions", &FileTableCounters::cache_evictions},
         {"cache_rechecks", &FileTableCounters::cache_rechecks},
         {"cache_replaced", &FileTableCounters::cache_replaced},
         {"files_open", &FileTableCounters::files_open},
         {"files_registered", &FileTableCounters::files_registered}});
  }
};

struct FileTableOptions {
  std::size_t capacity = 1000;  // files kept open; with 0 every request opens its file
  std::uint64_t recheck_ns = 1'000'000'000;
  bool direct = false;  // the files are opened with O_DIRECT
};

class FileTable {
 public:
  // `places` has room for `capacity` files and outlives the table; null: files get no places.
  FileTable(uring::RegisteredFiles* places, const FileTableOptions& options);
  FileTable(const FileTable&) = delete;
  FileTable& operator=(const FileTable&) = delete;
  // No use may be left.
  ~FileTable();

  // `path` is relative to the root. True: it is open, `file` keeps it, and it has been looked at in
  // this `batch`. False: it must be opened, and the answer is opened()'s.
  [[nodiscard]] bool find(std::string_view path, std::uint64_t batch, std::uint64_t now_ns,
                          FileUse& file);

  // What opening `path` has led to. Each find() that was false is followed by one call.
  [[nodiscard]] Lookup opened(std::string_view path, base::Result<base::UniqueFd> fd,
                              std::uint64_t batch, std::uint64_t now_ns, FileUse& file);

  // Gives up the file that was used longest ago and is not in use. False if there is none. For who
  // has run out of descriptors.
  bool evict_one();

  // The version that the file has now: by fstat, unless it was looked at in this batch.
  [[nodiscard]] static base::Result<FileVersion> version(OpenFile& file, std::uint64_t batch);

  [[nodiscard]] std::size_t cached() const { return by_path_.size(); }
  [[nodiscard]] const FileTableCounters& counters() const { return counters_; }
  // A heading, and a row for each file that is open, up to a limit.
  [[nodiscard]] std::string as_text() const;

 private:
  friend class FileUse;

  [[nodiscard]] Lookup add(std::string_view path, base::UniqueFd fd, std::uint64_t batch,
                           std::uint64_t now_ns, FileUse& file);
  void insert(OpenFile& file);
  void remove(OpenFile& file);  // closes it as well, unless it is in use
  void take_place(OpenFile& file);
  void leave_place(OpenFile& file);
  void close(OpenFile& file);

  uring::RegisteredFiles* places_;
  FileTableOptions options_;
  std::vector<std::int32_t> free_places_;
  std::unordered_map<std::string_view, OpenFile*> by_path_;  // the keys lie in the files
  support::UseOrder<OpenFile> order_;
  OpenFile* first_open_ = nullptr;
  FileTableCounters counters_;
};

inline void FileUse::reset() {
  if (OpenFile* file = std::exchange(file_, nullptr);
      file != nullptr && --file->uses == 0 && !file->cached) {
    file->table->close(*file);
  }
}

}  // namespace file_server
