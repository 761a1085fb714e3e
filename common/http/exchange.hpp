#pragma once
// The rules of one exchange: from a request and what fstat said of the file, to the response. No
// I/O: the server writes the head (write_head), then what `Response` says follows it.
//
// Of the conditions those that a file's time can answer are honoured: If-Modified-Since and
// If-Range with a date. We give out no entity tags, so an If-None-Match never fits one; it switches
// If-Modified-Since off, as RFC 9110 (section 13.1.3) has it.

#include <cstdint>
#include <string_view>

#include "common/http/request.hpp"
#include "common/http/response_head.hpp"
#include "common/http/status.hpp"

namespace http {

struct FileFacts {
  std::uint64_t size = 0;
  std::int64_t mtime_seconds = 0;
};

struct Response {
  ResponseHead head;
  // What follows the head: this text, or these bytes of the file, or (HEAD, 304, an empty file)
  // nothing.
  std::string_view text;
  std::uint64_t file_first = 0;
  std::uint64_t file_bytes = 0;
  bool closes = false;  // the connection ends with this response (the head says so)
};

// GET or HEAD of a regular file: 200, 206, 304 or 416. `content_type` is kept as a view.
[[nodiscard]] Response file_response(const Request& request, const FileFacts& file,
                                     std::string_view content_type);

// A request that was understood and is not fulfilled (404, 405, 503, ...): the connection goes on
// if the request lets it.
[[nodiscard]] Response error_response(const Request& request, Status status);

// A folder that was asked for without its slash: 301. `location` (folder_location) is kept as a
// view.
[[nodiscard]] Response redirect_response(const Request& request, std::string_view location);

// There is no request to answer, or no knowing where the next one begins (what the parser and the
// BodySkipper refuse, 408, 503 at the door): the connection ends.
[[nodiscard]] Response final_response(Status status);

}  // namespace http
