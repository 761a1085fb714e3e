#include "common/http/target_path.hpp"

#include <algorithm>
#include <optional>

#include "common/base/check.hpp"
#include "common/http/characters.hpp"

namespace http {
namespace {

// Appends to a buffer that may be too small.
class Appender {
 public:
  explicit Appender(std::span<char> buffer) : buffer_(buffer) {}

  bool put(char byte) {
    if (size_ == buffer_.size()) {
      return false;
    }
    buffer_[size_++] = byte;
    return true;
  }
  void cut(std::size_t size) { size_ = size; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::string_view text(std::size_t from = 0) const {
    return {buffer_.data() + from, size_ - from};
  }

 private:
  std::span<char> buffer_;
  std::size_t size_ = 0;
};

// Decodes one segment behind what is there. Why not, if it cannot be done.
std::optional<Status> append_decoded(Appender& out, std::string_view segment) {
  constexpr std::size_t kEscape = std::string_view("%2e").size();
  constexpr int kHexBase = 16;
  while (!segment.empty()) {
    char byte = segment.front();
    std::size_t taken = 1;
    if (byte == '%') {
      const int high = segment.size() < kEscape ? -1 : hex_value(segment[1]);
      const int low = segment.size() < kEscape ? -1 : hex_value(segment[2]);
      if (high < 0 || low < 0) {
        return Status::BadRequest;
      }
      byte = static_cast<char>(high * kHexBase + low);
      taken = kEscape;
    }
    if (byte == '\0') {
      return Status::BadRequest;
    }
    if (byte == '/') {
      return Status::NotFound;
    }
    if (!out.put(byte)) {
      return Status::UriTooLong;
    }
    segment.remove_prefix(taken);
  }
  return std::nullopt;
}

// Appends `segment` to the name, or takes its last part off for "..". `is_folder`: what the path up
// to here can only be.
std::optional<Status> append_segment(Appender& name, std::string_view segment, bool& is_folder) {
  const std::size_t before = name.size();
  if (before > 0 && !name.put('/')) {
    return Status::UriTooLong;
  }
  const std::size_t begin = name.size();
  if (const auto error = append_decoded(name, segment)) {
    return error;
  }
  const std::string_view decoded = name.text(begin);
  is_folder = decoded.empty() || decoded == "." || decoded == "..";
  if (decoded == "..") {
    if (before == 0) {
      return Status::BadRequest;
    }
    const std::size_t slash = name.text().substr(0, before).rfind('/');
    name.cut(slash == std::string_view::npos ? 0 : slash);
  } else if (is_folder) {
    name.cut(before);
  }
  return std::nullopt;
}

}  // namespace

std::expected<TargetPath, Status> decode_target_path(std::string_view path,
                                                     std::span<char> buffer) {
  CHECK(path.starts_with('/'), "RequestParser made it");
  Appender name(buffer);
  bool is_folder = true;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const std::size_t end = std::min(path.find('/'), path.size());
    if (const auto error = append_segment(name, path.substr(0, end), is_folder)) {
      return std::unexpected(*error);
    }
    path.remove_prefix(end);
  }
  if (name.size() == 0 && !name.put('.')) {
    return std::unexpected(Status::UriTooLong);
  }
  const std::string_view result = name.text();
  if (!name.put('\0')) {
    return std::unexpected(Status::UriTooLong);
  }
  return TargetPath{.name = result, .ends_with_slash = is_folder};
}

std::string_view index_path(std::string_view folder, std::span<char> buffer) {
  constexpr std::string_view kIndex = "index.html";
  static_assert(kIndexBytes == kIndex.size() + 2);
  CHECK(buffer.size() >= folder.size() + kIndexBytes, "the caller has room for it");
  std::size_t size = 0;
  if (folder != ".") {
    size = folder.copy(buffer.data(), folder.size());
    buffer[size++] = '/';
  }
  size += kIndex.copy(buffer.data() + size, kIndex.size());
  buffer[size] = '\0';
  return {buffer.data(), size};
}

std::string_view folder_location(std::string_view name, std::string_view query,
                                 std::span<char> buffer) {
  constexpr std::string_view kHexDigits = "0123456789ABCDEF";
  constexpr unsigned kHexBase = 16;
  Appender out(buffer);
  bool fits = out.put('/');
  for (const char byte : name) {
    if (is(kPathByte, byte)) {
      fits = fits && out.put(byte);
    } else {
      const unsigned value = static_cast<unsigned char>(byte);
      fits = fits && out.put('%') && out.put(kHexDigits[value / kHexBase]) &&
             out.put(kHexDigits[value % kHexBase]);
    }
  }
  fits = fits && out.put('/');
  for (const char byte : query) {
    fits = fits && out.put(byte);
  }
  return fits ? out.text() : std::string_view();
}

}  // namespace http
