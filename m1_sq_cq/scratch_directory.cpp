#include "m1_sq_cq/scratch_directory.hpp"

#include <stdlib.h>

#include <filesystem>
#include <system_error>
#include <utility>

namespace m1 {

base::Result<ScratchDirectory> ScratchDirectory::create() {
  const char* parent = std::getenv("TMPDIR");
  std::string path = parent != nullptr && *parent != '\0' ? parent : "/tmp";
  path += "/m1_sq_cq.XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) {
    return base::fail(base::last_error());
  }
  return ScratchDirectory(std::move(path));
}

ScratchDirectory::ScratchDirectory(ScratchDirectory&& other) noexcept
    : path_(std::exchange(other.path_, {})) {}

ScratchDirectory::~ScratchDirectory() {
  if (!path_.empty()) {
    std::error_code ignored;  // files that somebody else removed or locked are theirs now
    std::filesystem::remove_all(path_, ignored);
  }
}

std::string ScratchDirectory::path_of(std::string_view name) const {
  return path_ + "/" + std::string(name);
}

}  // namespace m1
