#pragma once
// The statuses that the servers answer with, and what stands behind the number.

#include <cstdint>
#include <string_view>

namespace http {

enum class Status : std::uint16_t {
  Ok = 200,
  PartialContent = 206,
  MovedPermanently = 301,
  NotModified = 304,
  BadRequest = 400,
  Forbidden = 403,
  NotFound = 404,
  MethodNotAllowed = 405,
  RequestTimeout = 408,
  ContentTooLarge = 413,
  UriTooLong = 414,
  RangeNotSatisfiable = 416,
  HeaderFieldsTooLarge = 431,
  InternalServerError = 500,
  NotImplemented = 501,
  ServiceUnavailable = 503,
  VersionNotSupported = 505,
};

// "404 Not Found\n": the whole body of such an answer.
[[nodiscard]] std::string_view status_text(Status status);

// "404 Not Found", as the status line has it.
[[nodiscard]] std::string_view status_and_reason(Status status);

}  // namespace http
