// libFuzzer feeds this with what a client might send. The input is the bytes of one connection,
// read as a server reads them: head, body, head, body, ... For every input must hold:
// - the result is the same whether the bytes come at once, in two pieces, or one by one;
// - each call gets a new buffer of exactly its size, and nothing reads outside of it (ASan looks
//   on);
// - what is taken for a head has no line end but CRLF, and ends with its first empty line;
// - heads and bodies follow each other without a gap, up to an error or the last byte;
// - a path becomes a name below the root, or is refused; as a Location it comes back to the same
//   name;
// - a range lies within the file; a response head has one empty line, at its end.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/check.hpp"
#include "common/http/body_skipper.hpp"
#include "common/http/byte_range.hpp"
#include "common/http/characters.hpp"
#include "common/http/content_type.hpp"
#include "common/http/exchange.hpp"
#include "common/http/request_parser.hpp"
#include "common/http/response_head.hpp"
#include "common/http/target_path.hpp"

namespace {

using http::Limits;
using http::ParseState;
using http::Request;
using http::RequestParser;
using http::SkipState;

// A copy in memory of its own, without a byte to spare.
class ExactCopy {
 public:
  explicit ExactCopy(std::string_view bytes)
      : bytes_(std::make_unique<char[]>(bytes.size())), size_(bytes.size()) {
    std::ranges::copy(bytes, bytes_.get());
  }
  [[nodiscard]] std::string_view view() const { return {bytes_.get(), size_}; }
  [[nodiscard]] std::span<char> span() { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_;
};

bool is_inside(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_lines(std::string_view head) {
  for (std::size_t at = 0; at < head.size(); ++at) {
    CHECK(head[at] != '\n' || (at > 0 && head[at - 1] == '\r'), "a bare LF");
    CHECK(head[at] != '\r' || (at + 1 < head.size() && head[at + 1] == '\n'), "a bare CR");
    CHECK(head[at] != '\0', "a NUL");
  }
  const std::size_t begin = head.starts_with("\r\n") ? 2 : 0;
  CHECK(head.find("\r\n\r\n", begin) == head.size() - 4, "an empty line inside, or none");
}

void check_name(std::string_view name) {
  CHECK(!name.empty() && !name.starts_with('/') && name.find('\0') == std::string_view::npos);
  if (name == ".") {
    return;
  }
  std::size_t begin = 0;
  while (begin <= name.size()) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    const std::string_view segment = name.substr(begin, end - begin);
    CHECK(!segment.empty() && segment != "." && segment != "..", "it leaves its folder");
    begin = end + 1;
  }
}

// What a server would open.
#ifdef PLANTED_DEFECT
// It makes the mistake of decoding twice.
std::string opened(std::string_view name) {
  constexpr std::string_view kDot = "%2e";
  std::string result(name);
  for (auto at = result.find(kDot); at != std::string::npos; at = result.find(kDot)) {
    result.replace(at, kDot.size(), ".");
  }
  return result;
}
#else
std::string opened(std::string_view name) {
  return std::string(name);
}
#endif

void check_path(const Request& request) {
  CHECK(request.path.starts_with('/'));
  ExactCopy buffer(std::string(request.path.size() + 2, '?'));
  const auto decoded = http::decode_target_path(request.path, buffer.span());
  if (!decoded) {
    CHECK(decoded.error() == http::Status::BadRequest || decoded.error() == http::Status::NotFound);
    return;
  }
  CHECK(decoded->name.data()[decoded->name.size()] == '\0', "a C string");
  check_name(opened(decoded->name));
  (void)http::content_type(decoded->name);
  if (decoded->name == ".") {
    return;
  }
  ExactCopy space(std::string(3 * request.path.size() + request.query.size() + 2, '?'));
  const std::string_view location =
      http::folder_location(decoded->name, request.query, space.span());
  const std::string_view path = location.substr(0, location.find('?'));
  ExactCopy second(std::string(path.size() + 2, '?'));
  const auto again = http::decode_target_path(path, second.span());
  CHECK(again && again->name == decoded->name && again->ends_with_slash, "the way back");
  CHECK(!path.starts_with("//") && path.find('\\') == std::string_view::npos, "another host");
  CHECK(http::is_all(http::kTargetByte, location), "the head could be split here");
}

void check_response(const Request& request, std::uint64_t file_size) {
  const http::FileFacts file{.size = file_size, .mtime_seconds = 784'111'777};
  const http::Response response = http::file_response(request, file, "text/plain");
  CHECK(response.file_first <= file_size && response.file_bytes <= file_size - response.file_first);
  std::array<char, http::kMaxHeadBytes> out;
  const std::size_t size = http::write_head(response.head, "Sun, 06 Nov 1994 08:49:37 GMT", out);
  check_lines({out.data(), size});
  if (request.range) {
    const auto range = http::byte_range(*request.range, file_size);
    CHECK(range.kind != http::ByteRange::Kind::Part ||
          (range.length > 0 && range.first < file_size && range.length <= file_size - range.first));
  }
}

void check_request(const Request& request, std::string_view head) {
  check_lines(head);
  for (const std::string_view part : {request.method_text, request.target, request.query,
                                      request.host, request.if_modified_since.value_or(""),
                                      request.if_range.value_or(""), request.range.value_or("")}) {
    CHECK(is_inside(part, head) || part.empty());
  }
  CHECK(is_inside(request.path, head) || request.path == "/");
  CHECK(!request.chunked || !request.content_length, "two ways to frame a body");
  CHECK(!request.chunked || request.version == http::Version::Http11);
  CHECK(request.has_host || request.version == http::Version::Http10);
  if (request.method != http::Method::Other) {
    check_path(request);
    check_response(request, head.size());
  }
}

// What a server does with the bytes of a connection.
class Connection {
 public:
  explicit Connection(const Limits& limits) : limits_(limits), parser_(limits) {}

  // `received`: all bytes since the beginning.
  void receive(std::string_view received) {
    while (!ended_ && (skipper_.done() ? read_head(received) : skip_body(received))) {
    }
  }

  // Where each part ended, and how. Two ways to receive the same must tell the same.
  [[nodiscard]] const std::string& story() const { return story_; }

 private:
  bool read_head(std::string_view received) {
    const ExactCopy buffer(received.substr(begin_));
    const ParseState state = parser_.parse(buffer.view());
    if (state == ParseState::Incomplete) {
      return false;
    }
    if (state == ParseState::Error) {
      return end(parser_.error());
    }
    const Request& request = parser_.request();
    CHECK(parser_.head_bytes() <= buffer.view().size());
    check_request(request, buffer.view().substr(0, parser_.head_bytes()));
    begin_ += parser_.head_bytes();
    tell("head", begin_);
    story_ += std::string(request.method_text) + " " + std::string(request.target) + " " +
              std::string(request.host) + (request.keep_alive ? " keep" : " close");
    skipper_ = http::BodySkipper(request, limits_);
    parser_.reset();
    return true;
  }

  bool skip_body(std::string_view received) {
    const ExactCopy buffer(received.substr(begin_));
    const auto [state, consumed] = skipper_.skip(buffer.view());
    CHECK(consumed <= buffer.view().size());
    if (state == SkipState::Error) {
      return end(skipper_.error());
    }
    begin_ += consumed;
    CHECK(state == SkipState::Done || begin_ == received.size(), "More has taken everything");
    if (state == SkipState::Done) {
      tell("body", begin_);
    }
    return state == SkipState::Done;
  }

  bool end(http::Status status) {
    tell("error", static_cast<std::size_t>(status));
    ended_ = true;
    return false;
  }

  void tell(std::string_view what, std::size_t number) {
    story_ += "\n" + std::string(what) + " " + std::to_string(number) + " ";
  }

  Limits limits_;
  RequestParser parser_;
  http::BodySkipper skipper_;
  std::size_t begin_ = 0;
  bool ended_ = false;
  std::string story_;
};

std::string received_in_pieces(const Limits& limits, std::string_view bytes,
                               const std::vector<std::size_t>& ends) {
  Connection connection(limits);
  for (const std::size_t end : ends) {
    connection.receive(bytes.substr(0, end));
  }
  return connection.story();
}

// The fuzzer chooses by the input's contents (FNV-1a), so that the input is the bytes alone.
std::size_t choice(std::string_view bytes) {
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
  for (const char byte : bytes) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100'0000'01b3;
  }
  return static_cast<std::size_t>(hash >> 8);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kOneByOne = 512;  // beyond it the copies would cost too much
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t chosen = choice(bytes);
  const Limits small{
      .max_head_bytes = 200, .max_target_bytes = 40, .max_headers = 5, .max_body_bytes = 20};
  const Limits limits = chosen % 4 == 0 ? small : Limits{};

  const std::string whole = received_in_pieces(limits, bytes, {size});
  const std::size_t split = size == 0 ? 0 : chosen % size;
  CHECK(received_in_pieces(limits, bytes, {split, size}) == whole, "in two pieces");
  if (size <= kOneByOne) {
    std::vector<std::size_t> ends;
    for (std::size_t end = 1; end <= size; ++end) {
      ends.push_back(end);
    }
    CHECK(received_in_pieces(limits, bytes, ends) == whole, "one by one");
  }
  return 0;
}
