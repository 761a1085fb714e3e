#pragma once
// Where a copy goes, and what is left there if it fails.
//
// The bytes go into a new file beside the destination, which takes the destination's name when all
// of them are there: until then nobody sees a half copy, and a failed one leaves nothing behind.
// That is not possible, or would change more than the contents, for a device, a FIFO, a file with
// several names, one whose owner we may not give to another file, or in a directory that we may not
// write to. Those are written in place, and a failure says so.

#include <sys/stat.h>

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/errno.hpp"
#include "common/base/unique_fd.hpp"

namespace m1 {

// An error is one sentence: what cannot be done, why, and what to do.
template <class T>
using OrSentence = std::expected<T, std::string>;

// "cannot write '/x': ENOSPC (No space left on device): free some space, or choose another place"
[[nodiscard]] std::string describe_failure(std::string_view what, const std::string& path,
                                           base::Errno error);

class CopyDestination {
 public:
  // Finds out what `path` is. A directory stands for the file in it that is called as `source_path`
  // is. Opens what is there already and makes nothing. Opening a FIFO waits for its reader. The
  // source itself, under whatever name, is refused.
  [[nodiscard]] static OrSentence<CopyDestination> find(std::string path,
                                                        const std::string& source_path,
                                                        const struct stat& source);

  CopyDestination(CopyDestination&& other) noexcept;
  CopyDestination& operator=(CopyDestination&&) = delete;
  CopyDestination(const CopyDestination&) = delete;
  CopyDestination& operator=(const CopyDestination&) = delete;
  // discard().
  ~CopyDestination();

  // Makes the new file, with the source's permissions if the destination is new, or empties the one
  // that is written in place.
  [[nodiscard]] OrSentence<void> begin(const struct stat& source);
  // Cuts a file to `bytes`.
  [[nodiscard]] OrSentence<void> cut(std::uint64_t bytes);
  // Closes, and gives the new file its name.
  [[nodiscard]] OrSentence<void> commit();
  // Instead of commit(), after a failure: removes the new file. Says what is left, in a sentence.
  // `bytes_written`: so far.
  std::string discard(std::uint64_t bytes_written = 0);

  [[nodiscard]] int fd() const { return fd_.get(); }
  // As it ends: with the file's name behind a directory's.
  [[nodiscard]] const std::string& path() const { return path_; }
  // Blocks may be written in any order: true for a file and a block device.
  [[nodiscard]] bool takes_any_order() const;
  // Offsets mean something.
  [[nodiscard]] bool seeks() const;
  // It is what this process has as its standard output.
  [[nodiscard]] bool is_stdout() const;

 private:
  explicit CopyDestination(std::string path) : path_(std::move(path)) {}

  [[nodiscard]] OrSentence<void> open_existing();
  [[nodiscard]] bool may_be_replaced() const;
  [[nodiscard]] base::Result<void> make_new_file(mode_t mode);

  std::string path_;
  std::string new_path_;                 // of the file that is to take the name; empty: in place
  base::UniqueFd fd_;                    // what is written to
  std::optional<struct stat> existing_;  // what was there; none: nothing
};

}  // namespace m1
