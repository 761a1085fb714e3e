#include "common/http/status.hpp"

namespace http {

std::string_view status_text(Status status) {
  switch (status) {
    case Status::Ok:
      return "200 OK\n";
    case Status::PartialContent:
      return "206 Partial Content\n";
    case Status::MovedPermanently:
      return "301 Moved Permanently\n";
    case Status::NotModified:
      return "304 Not Modified\n";
    case Status::BadRequest:
      return "400 Bad Request\n";
    case Status::Forbidden:
      return "403 Forbidden\n";
    case Status::NotFound:
      return "404 Not Found\n";
    case Status::MethodNotAllowed:
      return "405 Method Not Allowed\n";
    case Status::RequestTimeout:
      return "408 Request Timeout\n";
    case Status::ContentTooLarge:
      return "413 Content Too Large\n";
    case Status::UriTooLong:
      return "414 URI Too Long\n";
    case Status::RangeNotSatisfiable:
      return "416 Range Not Satisfiable\n";
    case Status::HeaderFieldsTooLarge:
      return "431 Request Header Fields Too Large\n";
    case Status::InternalServerError:
      return "500 Internal Server Error\n";
    case Status::NotImplemented:
      return "501 Not Implemented\n";
    case Status::ServiceUnavailable:
      return "503 Service Unavailable\n";
    case Status::VersionNotSupported:
      return "505 HTTP Version Not Supported\n";
  }
  __builtin_unreachable();
}

std::string_view status_and_reason(Status status) {
  std::string_view text = status_text(status);
  text.remove_suffix(1);
  return text;
}

}  // namespace http
