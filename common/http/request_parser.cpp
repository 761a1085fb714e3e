#include "common/http/request_parser.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <system_error>

#include "common/base/check.hpp"
#include "common/http/characters.hpp"

namespace http {
namespace {

// Are all bytes kFieldByte? Eight at a time, since values are most of what a request consists of. A
// tab looks like a control character to the quick test, so where that objects the bytes are looked
// at.
bool is_field_value(std::string_view value) {
  constexpr std::uint64_t kEach = 0x0101'0101'0101'0101;
  constexpr std::uint64_t kHighBits = kEach * 0x80;
  while (value.size() >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, value.data(), sizeof(word));
    // Subtracting borrows into the high bit of a byte that is too small, and of bytes above it: so
    // the test may object without need, but never overlooks one.
    const std::uint64_t delete_is_zero = word ^ (kEach * 0x7f);
    const std::uint64_t controls =
        ((word - kEach * ' ') & ~word) | ((delete_is_zero - kEach) & ~delete_is_zero);
    if ((controls & kHighBits) != 0 &&
        !is_all(kFieldByte, value.substr(0, sizeof(std::uint64_t)))) {
      return false;
    }
    value.remove_prefix(sizeof(std::uint64_t));
  }
  return value.empty() || is_all(kFieldByte, value);
}

// host [ ":" port ]: a name, an IPv4 address, or an IPv6 address in brackets. User information
// before an "@" has no place in a request (RFC 9110, section 4.2.4).
bool is_authority(std::string_view text) {
  std::size_t host_end = 0;
  if (text.starts_with('[')) {
    const auto is_address_byte = [](char byte) {
      return hex_value(byte) >= 0 || byte == ':' || byte == '.';
    };
    host_end = text.find(']');
    if (host_end == std::string_view::npos || host_end == 1 ||
        !std::ranges::all_of(text.substr(1, host_end - 1), is_address_byte)) {
      return false;
    }
    ++host_end;
  } else {
    host_end = std::min(text.find(':'), text.size());
    if (!is_all(kHostByte, text.substr(0, host_end))) {
      return false;
    }
  }
  const std::string_view port = text.substr(host_end);
  constexpr std::size_t kLongestPort = std::string_view(":65535").size();
  return port.empty() || (port.front() == ':' && port.size() <= kLongestPort &&
                          std::ranges::all_of(port.substr(1), is_digit));
}

// The version of "HTTP/1.1", or the status for what is none that we speak.
struct ParsedVersion {
  std::optional<Version> version;
  Status error = Status::BadRequest;
};

ParsedVersion parse_version(std::string_view text) {
  constexpr std::string_view kName = "HTTP/";
  constexpr std::size_t kMajor = kName.size();
  constexpr std::size_t kMinor = kMajor + 2;
  if (text.size() != kMinor + 1 || !text.starts_with(kName) || !is_digit(text[kMajor]) ||
      text[kMajor + 1] != '.' || !is_digit(text[kMinor])) {
    return {};
  }
  if (text[kMajor] != '1') {
    return {.version = {}, .error = Status::VersionNotSupported};
  }
  return {.version = text[kMinor] == '0' ? Version::Http10 : Version::Http11};
}

Method method_of(std::string_view text) {
  if (text == "GET") {
    return Method::Get;
  }
  return text == "HEAD" ? Method::Head : Method::Other;
}

// The length of "http://" or "https://" at the beginning of `target`; 0 if there is neither.
std::size_t scheme_size(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (equals_ignoring_case(target.substr(0, scheme.size()), scheme)) {
      return scheme.size();
    }
  }
  return 0;
}

}  // namespace

ParseState RequestParser::parse(std::string_view received) {
  received_ = received;
  while (state_ == ParseState::Incomplete) {
    const std::size_t window = std::min(received.size(), limits_.max_head_bytes);
    CHECK(window >= searched_, "the request only grows");
    const void* end = window > searched_
                          ? std::memchr(received.data() + searched_, '\n', window - searched_)
                          : nullptr;
    if (end == nullptr) {
      searched_ = window;
      return received.size() >= limits_.max_head_bytes ? stop_at_limit() : state_;
    }
    const auto line_end = static_cast<std::size_t>(static_cast<const char*>(end) - received.data());
    const std::string_view line = received.substr(line_begin_, line_end - line_begin_);
    line_begin_ = line_end + 1;
    searched_ = line_begin_;
    state_ = line.ends_with('\r') ? take_line(line.substr(0, line.size() - 1))
                                  : refuse(Status::BadRequest);
  }
  if (state_ == ParseState::Complete) {
    bind_views();
  }
  return state_;
}

ParseState RequestParser::refuse(Status status) {
  error_ = status;
  state_ = ParseState::Error;
  return state_;
}

// The head does not end within its limit. What made it so long?
ParseState RequestParser::stop_at_limit() {
  return refuse(expects_ == Expects::HeaderLine ? Status::HeaderFieldsTooLarge
                                                : Status::UriTooLong);
}

ParseState RequestParser::take_line(std::string_view line) {
  if (expects_ == Expects::HeaderLine) {
    return line.empty() ? finish() : take_header_line(line);
  }
  if (expects_ == Expects::FirstLine && line.empty()) {
    expects_ = Expects::RequestLine;
    return ParseState::Incomplete;
  }
  expects_ = Expects::HeaderLine;
  return take_request_line(line);
}

// method SP request-target SP HTTP-version, with single spaces: a reader that splits at any white
// space sees another target than one that does not.
ParseState RequestParser::take_request_line(std::string_view line) {
  const std::size_t method_end = std::min(line.find(' '), line.size());
  const std::size_t target_begin = std::min(method_end + 1, line.size());
  const std::size_t target_end = std::min(line.find(' ', target_begin), line.size());
  const std::string_view method = line.substr(0, method_end);
  const std::string_view target = line.substr(target_begin, target_end - target_begin);
  const std::string_view version_text = line.substr(std::min(target_end + 1, line.size()));
  if (!is_all(kTokenByte, method)) {
    return refuse(Status::BadRequest);
  }
  if (target.size() > limits_.max_target_bytes) {
    return refuse(Status::UriTooLong);
  }
  const auto [version, version_error] = parse_version(version_text);
  if (!version) {
    return refuse(version_error);
  }
  request_.version = *version;
  request_.method = method_of(method);
  method_ = slice_of(method);
  return take_target(target);
}

ParseState RequestParser::take_target(std::string_view target) {
  if (!is_all(kTargetByte, target)) {
    return refuse(Status::BadRequest);
  }
  target_ = slice_of(target);
  if (request_.method == Method::Other) {
    return ParseState::Incomplete;  // "*", "host:443", ...: whatever it is, we do not serve it
  }
  if (!target.starts_with('/')) {
    return take_absolute_target(target);
  }
  split_target(target);
  return ParseState::Incomplete;
}

ParseState RequestParser::take_absolute_target(std::string_view target) {
  const std::size_t host_begin = scheme_size(target);
  const std::string_view after_scheme = target.substr(host_begin);
  const std::size_t host_size = std::min(after_scheme.find_first_of("/?"), after_scheme.size());
  const std::string_view host = after_scheme.substr(0, host_size);
  if (host_begin == 0 || !is_authority(host)) {
    return refuse(Status::BadRequest);
  }
  target_host_ = slice_of(host);
  split_target(after_scheme.substr(host_size));
  return ParseState::Incomplete;
}

void RequestParser::split_target(std::string_view path_and_query) {
  const std::size_t path_size = std::min(path_and_query.find('?'), path_and_query.size());
  path_ = slice_of(path_and_query.substr(0, path_size));
  query_ = slice_of(path_and_query.substr(path_size));
}

ParseState RequestParser::take_header_line(std::string_view line) {
  if (++request_.header_count > limits_.max_headers) {
    return refuse(Status::HeaderFieldsTooLarge);
  }
  std::size_t name_size = 0;
  while (name_size < line.size() && is(kTokenByte, line[name_size])) {
    ++name_size;
  }
  // This is also where a folded line ends up, and a space before the colon.
  if (name_size == 0 || name_size == line.size() || line[name_size] != ':') {
    return refuse(Status::BadRequest);
  }
  const std::string_view value = line.substr(name_size + 1);
  if (!is_field_value(value)) {
    return refuse(Status::BadRequest);
  }
  return take_field(line.substr(0, name_size), trimmed(value));
}

// Most fields are not ours, and their length alone says so.
ParseState RequestParser::take_field(std::string_view name, std::string_view value) {
  const auto is_named = [name](std::string_view lower) {
    return equals_ignoring_case(name, lower);
  };
  switch (name.size()) {
    case std::string_view("host").size():
      return is_named("host") ? take_host(value) : ParseState::Incomplete;
    case std::string_view("range").size():
      if (is_named("range")) {
        take_once(range_, value);
      }
      break;
    case std::string_view("expect").size():
      if (is_named("expect") && equals_ignoring_case(value, "100-continue")) {
        request_.expect_continue = request_.version == Version::Http11;
      }
      break;
    case std::string_view("if-range").size():
      if (is_named("if-range")) {
        take_once(if_range_, value);
      }
      break;
    case std::string_view("connection").size():
      if (is_named("connection")) {
        take_connection(value);
      }
      break;
    case std::string_view("if-none-match").size():
      request_.has_if_none_match = request_.has_if_none_match || is_named("if-none-match");
      break;
    case std::string_view("content-length").size():
      return is_named("content-length") ? take_content_length(value) : ParseState::Incomplete;
    case std::string_view("transfer-encoding").size():
      static_assert(std::string_view("transfer-encoding").size() ==
                    std::string_view("if-modified-since").size());
      if (is_named("transfer-encoding")) {
        return take_transfer_encoding(value);
      }
      if (is_named("if-modified-since")) {
        take_once(if_modified_since_, value);
      }
      break;
    default:
      break;
  }
  return ParseState::Incomplete;
}

ParseState RequestParser::take_host(std::string_view value) {
  if (host_ || !is_authority(value)) {
    return refuse(Status::BadRequest);
  }
  host_ = slice_of(value);
  return ParseState::Incomplete;
}

ParseState RequestParser::take_content_length(std::string_view value) {
  // from_chars takes a sign for signed numbers only, and no space for any.
  std::uint64_t length = 0;
  const char* end = value.data() + value.size();
  const auto [number_end, error] = std::from_chars(value.data(), end, length);
  if (request_.content_length || request_.chunked || error != std::errc() || number_end != end) {
    return refuse(Status::BadRequest);
  }
  if (length > limits_.max_body_bytes) {
    return refuse(Status::ContentTooLarge);
  }
  request_.content_length = length;
  return ParseState::Incomplete;
}

ParseState RequestParser::take_transfer_encoding(std::string_view value) {
  if (request_.content_length || request_.chunked || request_.version == Version::Http10) {
    return refuse(Status::BadRequest);
  }
  if (!equals_ignoring_case(value, "chunked")) {
    return refuse(Status::NotImplemented);
  }
  request_.chunked = true;
  return ParseState::Incomplete;
}

void RequestParser::take_connection(std::string_view value) {
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    const std::string_view option = trimmed(value.substr(0, comma));
    says_close_ = says_close_ || equals_ignoring_case(option, "close");
    says_keep_alive_ = says_keep_alive_ || equals_ignoring_case(option, "keep-alive");
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
}

void RequestParser::take_once(std::optional<Slice>& field, std::string_view value) {
  field = field ? Slice{} : slice_of(value);
}

ParseState RequestParser::finish() {
  const bool is_http11 = request_.version == Version::Http11;
  if (is_http11 && !host_) {
    return refuse(Status::BadRequest);
  }
  const bool body_may_not_come = request_.expect_continue && request_.has_body();
  request_.keep_alive = !says_close_ && (is_http11 || says_keep_alive_) && !body_may_not_come &&
                        view_of(method_) != "CONNECT";
  request_.has_host = host_ || target_host_;
  return ParseState::Complete;
}

void RequestParser::bind_views() {
  const auto optional_view = [this](const std::optional<Slice>& slice) {
    return slice ? std::optional(view_of(*slice)) : std::nullopt;
  };
  request_.method_text = view_of(method_);
  request_.target = view_of(target_);
  request_.path = view_of(path_);
  if (request_.path.empty() && request_.method != Method::Other) {
    request_.path = "/";  // of "http://host", which means "http://host/"
  }
  request_.query = view_of(query_);
  request_.host = view_of(target_host_.value_or(host_.value_or(Slice{})));
  request_.if_modified_since = optional_view(if_modified_since_);
  request_.if_range = optional_view(if_range_);
  request_.range = optional_view(range_);
}

RequestParser::Slice RequestParser::slice_of(std::string_view part) const {
  return {.begin = static_cast<std::size_t>(part.data() - received_.data()), .size = part.size()};
}

std::string_view RequestParser::view_of(Slice slice) const {
  return received_.substr(slice.begin, slice.size);
}

}  // namespace http
