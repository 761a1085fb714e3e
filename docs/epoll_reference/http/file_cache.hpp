#pragma once
// The files that are being served, open: a file that is asked for again costs neither the walk along
// its path nor a descriptor of its own.
//
// What must hold:
// - Once in a turn (of one `now_ns`) a file that is used is looked at by fstat, so that its size and
//   time are those of what is read in that turn. That shows too when the file has lost its last
//   name, as when another one was renamed over it. For all other ways in which a path may come to
//   name another file, it is opened again every `recheck_ns`.
// - A file that has been replaced or evicted stays open as long as a response uses it. So open
//   files are bounded by the capacity and the responses under way.
// - Only files are kept. That something is missing, or is a folder, is asked anew every time: a
//   cache of the answer "no" would be filled by whoever guesses names.
// - A file that is in the cache is found without allocating.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "common/base/errno.hpp"
#include "common/base/unique_fd.hpp"
#include "common/http/lookup.hpp"
#include "common/support/counters.hpp"
#include "common/support/file_version.hpp"
#include "common/support/use_order.hpp"

namespace epoll_reference {

using http::Lookup;
using support::FileVersion;

// What an open file is now.
[[nodiscard]] base::Result<FileVersion> file_version(int fd);

class FileCache;

// One open file. Its owner is the cache together with the FileUses; all of one thread.
struct OpenFile {
  base::UniqueFd fd;
  FileVersion version;
  std::string_view content_type;

  // The cache's own.
  FileCache* cache = nullptr;
  std::string path;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t looked_at_ns = 0;  // by fstat
  std::uint64_t opened_ns = 0;     // by its path
  std::uint32_t uses = 0;
  bool cached = false;
  OpenFile* newer = nullptr;  // in the order of last use
  OpenFile* older = nullptr;
};

// Keeps a file open. Must be gone before its cache.
class FileUse {
 public:
  FileUse() = default;
  explicit FileUse(OpenFile* file) : file_(file) { ++file->uses; }
  FileUse(FileUse&& other) noexcept : file_(std::exchange(other.file_, nullptr)) {}
  FileUse& operator=(FileUse&& other) noexcept {
    if (this != &other) {
      reset();
      file_ = std::exchange(other.file_, nullptr);
    }
    return *this;
  }
  FileUse(const FileUse&) = delete;
  FileUse& operator=(const FileUse&) = delete;
  ~FileUse() { reset(); }

  void reset();
  const OpenFile* operator->() const { return file_; }

 private:
  OpenFile* file_ = nullptr;
};

struct FileCacheCounters {
  std::uint64_t cache_hits = 0;
  std::uint64_t cache_misses = 0;
  std::uint64_t cache_evictions = 0;
  std::uint64_t cache_rechecks = 0;  // paths opened again
  std::uint64_t cache_replaced = 0;  // paths that named another file then, or none
  std::uint64_t files_open = 0;      // now, those in use alone included

  static constexpr auto list() {
    return std::to_array<support::Counter<FileCacheCounters>>(
        {{"cache_hits", &FileCacheCounters::cache_hits},
         {"cache_misses", &FileCacheCounters::cache_misses},
         {"cache_evictions", &FileCacheCounters::cache_evictions},
         {"cache_rechecks", &FileCacheCounters::cache_rechecks},
         {"cache_replaced", &FileCacheCounters::cache_replaced},
         {"files_open", &FileCacheCounters::files_open}});
  }
};

class FileCache {
 public:
  // Does not own `root`. With a capacity of 0 every request opens its file.
  FileCache(int root, std::size_t capacity, std::uint64_t recheck_ns);
  FileCache(const FileCache&) = delete;
  FileCache& operator=(const FileCache&) = delete;
  // No use may be left.
  ~FileCache();

  // `path` is relative to the root, as a client may name it. `now_ns` is the time of the turn. If the
  // answer is File, `file` keeps it.
  [[nodiscard]] Lookup find(std::string_view path, std::uint64_t now_ns, FileUse& file);

  [[nodiscard]] std::size_t size() const { return by_path_.size(); }
  [[nodiscard]] const FileCacheCounters& counters() const { return counters_; }

 private:
  friend class FileUse;

  struct Opened {
    Lookup lookup = Lookup::Failed;
    std::unique_ptr<OpenFile> file;  // if the lookup is File
  };
  [[nodiscard]] Opened open(std::string_view path, std::uint64_t now_ns);
  // Where there is no descriptor left, others are given up for it.
  [[nodiscard]] base::Result<base::UniqueFd> open_evicting(const char* path);
  // Gives up the file that was used longest ago and is not in use now. False if there is none.
  bool evict_one();
  [[nodiscard]] Lookup take(Opened opened, FileUse& file);
  [[nodiscard]] static bool still_names(const Opened& opened, OpenFile& known,
                                        std::uint64_t now_ns);
  // False if its path must be opened again to know.
  [[nodiscard]] bool is_current(OpenFile& file, std::uint64_t now_ns) const;
  // By fstat. False if it cannot be asked or has lost its last name.
  [[nodiscard]] static bool look_at(OpenFile& file, std::uint64_t now_ns);

  void insert(OpenFile& file);
  void remove(OpenFile& file);  // closes it as well, unless it is in use
  void close(OpenFile& file);

  int root_;
  std::size_t capacity_;
  std::uint64_t recheck_ns_;
  std::unordered_map<std::string_view, OpenFile*> by_path_;  // the keys lie in the files
  support::UseOrder<OpenFile> order_;
  FileCacheCounters counters_;
};

inline void FileUse::reset() {
  if (OpenFile* file = std::exchange(file_, nullptr);
      file != nullptr && --file->uses == 0 && !file->cached) {
    file->cache->close(*file);
  }
}

}  // namespace epoll_reference
