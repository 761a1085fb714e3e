#include "common/http/response_head.hpp"

#include <array>
#include <charconv>
#include <cstring>

#include "common/base/check.hpp"
#include "common/http/date.hpp"

namespace http {
namespace {

class Writer {
 public:
  explicit Writer(std::span<char> out) : out_(out) {}

  Writer& put(std::string_view text) {
    CHECK(text.size() <= out_.size() - size_, "the caller made room: see kMaxHeadBytes");
    std::memcpy(out_.data() + size_, text.data(), text.size());
    size_ += text.size();
    return *this;
  }

  Writer& put(std::uint64_t number) {
    std::array<char, 20> digits;  // of 2^64 - 1
    const char* end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    return put(std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data())));
  }

  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::span<char> out_;
  std::size_t size_ = 0;
};

void put_content_range(Writer& out, const ContentRange& range) {
  out.put("Content-Range: bytes ");
  if (range.length == 0) {
    out.put("*");
  } else {
    out.put(range.first).put("-").put(range.first + range.length - 1);
  }
  out.put("/").put(range.size).put("\r\n");
}

void put_last_modified(Writer& out, std::int64_t seconds) {
  std::array<char, kDateBytes> text;
  format_date(seconds, text);
  out.put("Last-Modified: ").put(std::string_view(text.data(), text.size())).put("\r\n");
}

void put_connection(Writer& out, ConnectionField connection) {
  switch (connection) {
    case ConnectionField::None:
      break;
    case ConnectionField::Close:
      out.put("Connection: close\r\n");
      break;
    case ConnectionField::KeepAlive:
      out.put("Connection: keep-alive\r\n");
      break;
  }
}

}  // namespace

std::size_t write_head(const ResponseHead& head, std::string_view date, std::span<char> out) {
  Writer writer(out);
  writer.put("HTTP/1.1 ").put(status_and_reason(head.status));
  writer.put("\r\nDate: ").put(date).put("\r\n");
  if (!head.content_type.empty()) {
    writer.put("Content-Type: ").put(head.content_type).put("\r\n");
  }
  if (head.content_length) {
    writer.put("Content-Length: ").put(*head.content_length).put("\r\n");
  }
  if (head.content_range) {
    put_content_range(writer, *head.content_range);
  }
  if (head.last_modified_seconds) {
    put_last_modified(writer, *head.last_modified_seconds);
  }
  if (head.accept_ranges) {
    writer.put("Accept-Ranges: bytes\r\n");
  }
  if (!head.location.empty()) {
    writer.put("Location: ").put(head.location).put("\r\n");
  }
  if (head.status == Status::MethodNotAllowed) {
    writer.put("Allow: GET, HEAD\r\n");
  }
  put_connection(writer, head.connection);
  writer.put("\r\n");
  return writer.size();
}

}  // namespace http
