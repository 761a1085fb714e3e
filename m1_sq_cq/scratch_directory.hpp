#pragma once
// A directory of our own for the files that a lesson makes, gone with all that is in it at the end.

#include <string>
#include <string_view>

#include "common/base/errno.hpp"

namespace m1 {

class ScratchDirectory {
 public:
  // Makes it in $TMPDIR, or in /tmp without that. Errors: those of mkdtemp(3).
  [[nodiscard]] static base::Result<ScratchDirectory> create();

  ScratchDirectory(ScratchDirectory&& other) noexcept;
  ScratchDirectory& operator=(ScratchDirectory&&) = delete;
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string path_of(std::string_view name) const;

 private:
  explicit ScratchDirectory(std::string path) : path_(std::move(path)) {}

  std::string path_;  // empty after a move
};

}  // namespace m1
