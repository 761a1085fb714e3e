#include "m2_file_server/bench/serve_files.hpp"

#include <fcntl.h>
#include <stdlib.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "common/base/unique_fd.hpp"
#include "common/support/quantity.hpp"
#include "common/support/write_all.hpp"

namespace file_server::serve_bench {
namespace {

// Bytes that do not repeat, so that a piece from the wrong place is seen (splitmix64).
std::vector<std::byte> make_content(std::uint64_t size) {
  std::vector<std::byte> content(size);
  std::uint64_t state = size;
  for (std::size_t i = 0; i < content.size(); i += sizeof state) {
    std::uint64_t word = state += 0x9e3779b97f4a7c15;
    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
    word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
    word ^= word >> 31;
    std::memcpy(content.data() + i, &word, std::min(sizeof word, content.size() - i));
  }
  return content;
}

}  // namespace

base::Result<ServedFolder> ServedFolder::create(std::span<const std::uint64_t> sizes) {
  const char* parent = std::getenv("TMPDIR");
  std::string path = parent != nullptr && *parent != '\0' ? parent : "/tmp";
  path += "/m2_file_server.XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) {
    return base::fail(base::last_error());
  }
  ServedFolder folder(std::move(path));
  for (const std::uint64_t size : sizes) {
    if (const auto added = folder.add(size); !added) {
      return base::fail(added.error());
    }
  }
  return folder;
}

ServedFolder::ServedFolder(ServedFolder&& other) noexcept
    : path_(std::exchange(other.path_, {})), files_(std::move(other.files_)) {}

ServedFolder::~ServedFolder() {
  if (!path_.empty()) {
    std::error_code ignored;  // what somebody else removed or locked is theirs now
    std::filesystem::remove_all(path_, ignored);
  }
}

base::Result<void> ServedFolder::add(std::uint64_t size) {
  ServedFile file{
      .name = support::format_quantity(static_cast<std::int64_t>(size), support::kSizeUnits),
      .content = make_content(size)};
  const std::string path = path_ + "/" + file.name;
  const base::UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd.valid()) {
    return base::fail(base::last_error());
  }
  files_.push_back(std::move(file));
  return support::write_all(fd.get(), files_.back().content);
}

}  // namespace file_server::serve_bench
