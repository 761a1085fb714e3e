#include "common/http/exchange.hpp"

#include <array>

#include "common/http/byte_range.hpp"
#include "common/http/date.hpp"

namespace http {
namespace {

constexpr std::string_view kPlainText = "text/plain; charset=utf-8";

// HTTP/1.1 goes on unless somebody says "close", HTTP/1.0 only if both say "keep-alive".
ConnectionField connection_field(const Request& request) {
  if (!request.keep_alive) {
    return ConnectionField::Close;
  }
  return request.version == Version::Http10 ? ConnectionField::KeepAlive : ConnectionField::None;
}

Response empty_response(const Request& request, Status status) {
  Response response;
  response.head.status = status;
  response.head.connection = connection_field(request);
  response.closes = !request.keep_alive;
  return response;
}

// The status as a text that a person can read. HEAD gets the head alone.
void add_status_text(Response& response, Method method) {
  const std::string_view text = status_text(response.head.status);
  response.head.content_type = kPlainText;
  response.head.content_length = text.size();
  if (method != Method::Head) {
    response.text = text;
  }
}

bool is_not_modified(const Request& request, std::int64_t mtime_seconds) {
  if (!request.if_modified_since || request.has_if_none_match) {
    return false;
  }
  const auto since = parse_date(*request.if_modified_since);
  return since && mtime_seconds <= *since;
}

// May the Range be honoured? An If-Range must be the Last-Modified that we would send, to the
// letter.
bool is_range_wanted(const Request& request, const FileFacts& file) {
  if (request.method != Method::Get || !request.range) {
    return false;
  }
  if (!request.if_range) {
    return true;
  }
  if (!has_date(file.mtime_seconds)) {
    return false;
  }
  std::array<char, kDateBytes> text;
  format_date(file.mtime_seconds, text);
  return *request.if_range == std::string_view(text.data(), text.size());
}

void add_content(Response& response, Method method, std::uint64_t first, std::uint64_t length) {
  response.head.content_length = length;
  response.head.accept_ranges = true;
  response.file_first = first;
  response.file_bytes = method == Method::Head ? 0 : length;
}

}  // namespace

Response file_response(const Request& request, const FileFacts& file,
                       std::string_view content_type) {
  Response response = empty_response(request, Status::Ok);
  if (has_date(file.mtime_seconds)) {
    response.head.last_modified_seconds = file.mtime_seconds;
    if (is_not_modified(request, file.mtime_seconds)) {
      response.head.status = Status::NotModified;
      return response;
    }
  }
  const ByteRange range =
      is_range_wanted(request, file) ? byte_range(*request.range, file.size) : ByteRange{};
  response.head.content_type = content_type;
  switch (range.kind) {
    case ByteRange::Kind::Whole:
      add_content(response, request.method, 0, file.size);
      break;
    case ByteRange::Kind::Part:
      response.head.status = Status::PartialContent;
      response.head.content_range =
          ContentRange{.first = range.first, .length = range.length, .size = file.size};
      add_content(response, request.method, range.first, range.length);
      break;
    case ByteRange::Kind::Unsatisfiable:
      response = empty_response(request, Status::RangeNotSatisfiable);
      response.head.content_range = ContentRange{.first = 0, .length = 0, .size = file.size};
      add_status_text(response, request.method);
      break;
  }
  return response;
}

Response error_response(const Request& request, Status status) {
  Response response = empty_response(request, status);
  add_status_text(response, request.method);
  return response;
}

Response redirect_response(const Request& request, std::string_view location) {
  Response response = error_response(request, Status::MovedPermanently);
  response.head.location = location;
  return response;
}

Response final_response(Status status) {
  Response response;
  response.head.status = status;
  response.head.connection = ConnectionField::Close;
  response.closes = true;
  add_status_text(response, Method::Get);
  return response;
}

}  // namespace http
