#pragma once
// Reads the head of an HTTP/1.x request, in whatever pieces it arrives.
//
//   buffer: one contiguous piece of memory that begins at the request's first byte
//   loop:   append what was received; parser.parse(all of it)
//     Incomplete: receive more
//     Error:      answer parser.error(), then close
//     Complete:   parser.request() is filled; parser.head_bytes() of the buffer are used up. A body
//                 may follow (BodySkipper), then the next request: drop what is used up, reset().
//
// A line is looked at when its end is there, and never again, so the work is O(n) even if the bytes
// come one by one, and what is wrong shows as soon as its line is complete. What the result is does
// not depend on the pieces. The buffer may move or grow between calls: the parser keeps offsets.
// It allocates nothing.
//
// It is strict wherever two readers of the same bytes could disagree on where a request ends, which
// is what request smuggling lives on (RFC 9112, section 11.2). Each of these is refused with 400:
// - a line that ends in a bare LF, and a CR that is not followed by LF. RFC 9112 (section 2.2)
//   would let us take a bare LF for an end of line, but what stands before us may take it for a
//   part of a value, and no client sends it;
// - a line that begins with a space or tab (obs-fold), space before the colon, a name that is no
//   token, control characters in a value (tab is allowed);
// - Content-Length that is not digits alone, or there twice, even with the same value; any
//   Transfer-Encoding beside it, twice, or in HTTP/1.0. Other codings than "chunked" are 501;
// - Host missing in HTTP/1.1, there twice, or no host[:port].
// One CRLF before the request line is skipped: old clients send it after a body.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "common/http/limits.hpp"
#include "common/http/request.hpp"
#include "common/http/status.hpp"

namespace http {

enum class ParseState : std::uint8_t { Incomplete, Complete, Error };

class RequestParser {
 public:
  explicit RequestParser(const Limits& limits = {}) : limits_(limits) {}

  // `received`: the request from its first byte to the last one received so far, at least what it
  // was in the last call. After Complete a call only moves the views into the buffer given, after
  // Error it says Error again.
  ParseState parse(std::string_view received);

  // After Complete.
  [[nodiscard]] const Request& request() const { return request_; }
  [[nodiscard]] std::size_t head_bytes() const { return line_begin_; }

  // After Error: 400, 413, 414, 431, 501 or 505. The connection cannot go on. (That a method is not
  // supported is no error here: the request is complete, and its answer is 405.)
  [[nodiscard]] Status error() const { return error_; }

  // For the next request.
  void reset() { *this = RequestParser(limits_); }

 private:
  // A part of the buffer, wherever that lies.
  struct Slice {
    std::size_t begin = 0;
    std::size_t size = 0;
  };
  enum class Expects : std::uint8_t { FirstLine, RequestLine, HeaderLine };

  ParseState refuse(Status status);
  ParseState stop_at_limit();
  ParseState take_line(std::string_view line);
  ParseState take_request_line(std::string_view line);
  ParseState take_header_line(std::string_view line);
  ParseState take_target(std::string_view target);
  ParseState take_absolute_target(std::string_view target);
  void split_target(std::string_view path_and_query);
  ParseState take_field(std::string_view name, std::string_view value);
  ParseState take_host(std::string_view value);
  ParseState take_content_length(std::string_view value);
  ParseState take_transfer_encoding(std::string_view value);
  void take_connection(std::string_view value);
  void take_once(std::optional<Slice>& field, std::string_view value);
  ParseState finish();
  void bind_views();

  // Where in the buffer `part` of it lies.
  [[nodiscard]] Slice slice_of(std::string_view part) const;
  [[nodiscard]] std::string_view view_of(Slice slice) const;

  Limits limits_;
  std::string_view received_;  // only during parse()
  std::size_t line_begin_ = 0;
  std::size_t searched_ = 0;  // no line ends before this
  Expects expects_ = Expects::FirstLine;
  ParseState state_ = ParseState::Incomplete;
  Status error_ = Status::BadRequest;

  Request request_;
  Slice method_;
  Slice target_;
  Slice path_;
  Slice query_;
  std::optional<Slice> target_host_;
  std::optional<Slice> host_;
  std::optional<Slice> if_modified_since_;
  std::optional<Slice> if_range_;
  std::optional<Slice> range_;
  bool says_close_ = false;
  bool says_keep_alive_ = false;
};

}  // namespace http
