#pragma once
// The folder that all three servers serve: one file of each size, in a temporary folder that is
// gone at the end.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/base/errno.hpp"

namespace file_server::serve_bench {

struct ServedFile {
  std::string name;  // "64K"
  std::vector<std::byte> content;
};

class ServedFolder {
 public:
  // In $TMPDIR, or in /tmp without that. Errors: those of mkdtemp(3), open(2) and write(2).
  [[nodiscard]] static base::Result<ServedFolder> create(std::span<const std::uint64_t> sizes);

  ServedFolder(ServedFolder&& other) noexcept;
  ServedFolder& operator=(ServedFolder&&) = delete;
  ServedFolder(const ServedFolder&) = delete;
  ServedFolder& operator=(const ServedFolder&) = delete;
  ~ServedFolder();

  [[nodiscard]] const std::string& path() const { return path_; }
  // In the order of the sizes.
  [[nodiscard]] const std::vector<ServedFile>& files() const { return files_; }

 private:
  explicit ServedFolder(std::string path) : path_(std::move(path)) {}
  base::Result<void> add(std::uint64_t size);

  std::string path_;  // empty after a move
  std::vector<ServedFile> files_;
};

}  // namespace file_server::serve_bench
