#include "checkpoints/load_client/expected_files.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <memory>
#include <string_view>
#include <system_error>

#include "common/base/errno.hpp"

namespace load_client {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

std::string decoded(std::string_view path) {
  std::string text;
  for (std::size_t i = 0; i < path.size(); ++i) {
    unsigned value = 0;
    const char* end = path.data() + std::min(i + 3, path.size());
    const bool is_escape =
        path[i] == '%' && i + 2 < path.size() &&
        std::from_chars(path.data() + i + 1, end, value, 16) == std::from_chars_result{end, {}};
    text += is_escape ? static_cast<char>(value) : path[i];
    i += is_escape ? 2 : 0;
  }
  return text;
}

std::string file_of(const std::string& root, std::string_view path) {
  std::string name = root + decoded(path.substr(0, path.find('?')));
  if (name.ends_with('/')) {
    name += "index.html";
  }
  return name;
}

base::Result<std::vector<std::byte>> read_whole(const std::string& name) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(name.c_str(), "re"));
  if (!file) {
    return base::fail(base::last_error());
  }
  std::vector<std::byte> bytes;
  std::array<std::byte, 64 << 10> piece;
  while (const std::size_t size = std::fread(piece.data(), 1, piece.size(), file.get())) {
    bytes.insert(bytes.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(size));
  }
  if (std::ferror(file.get()) != 0) {
    return base::fail(base::last_error());
  }
  return bytes;
}

}  // namespace

std::expected<void, std::string> read_expected_files(const std::string& root,
                                                     std::span<Answer> answers) {
  for (Answer& answer : answers) {
    const std::string name = file_of(root, answer.path);
    auto bytes = read_whole(name);
    if (!bytes) {
      return std::unexpected("cannot read '" + name + "', which " + answer.path +
                             " is to be compared with: " + bytes.error().message());
    }
    answer.body = std::move(*bytes);
    answer.content_length = answer.body.size();
  }
  return {};
}

}  // namespace load_client
