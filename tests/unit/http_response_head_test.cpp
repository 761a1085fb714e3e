#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "common/http/exchange.hpp"
#include "common/http/response_head.hpp"

namespace {

using http::ConnectionField;
using http::ContentRange;
using http::ResponseHead;
using http::Status;

constexpr std::string_view kDate = "Sun, 06 Nov 1994 08:49:37 GMT";

std::string written(const ResponseHead& head) {
  std::array<char, http::kMaxHeadBytes> out{};
  return {out.data(), http::write_head(head, kDate, out)};
}

TEST(ResponseHead, HasWhatItIsGivenAndNothingElse) {
  ResponseHead head;
  head.status = Status::NotModified;
  EXPECT_EQ(written(head),
            "HTTP/1.1 304 Not Modified\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
}

TEST(ResponseHead, OfAPartOfAFile) {
  ResponseHead head;
  head.status = Status::PartialContent;
  head.content_type = "text/css";
  head.content_length = 10;
  head.content_range = ContentRange{.first = 90, .length = 10, .size = 100};
  head.last_modified_seconds = 0;
  head.accept_ranges = true;
  head.connection = ConnectionField::KeepAlive;
  EXPECT_EQ(written(head),
            "HTTP/1.1 206 Partial Content\r\n"
            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Content-Type: text/css\r\n"
            "Content-Length: 10\r\n"
            "Content-Range: bytes 90-99/100\r\n"
            "Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
            "Accept-Ranges: bytes\r\n"
            "Connection: keep-alive\r\n"
            "\r\n");
}

TEST(ResponseHead, OfARefusedRange) {
  ResponseHead head;
  head.status = Status::RangeNotSatisfiable;
  head.content_range = ContentRange{.first = 0, .length = 0, .size = 100};
  EXPECT_NE(written(head).find("\r\nContent-Range: bytes */100\r\n"), std::string::npos);
}

TEST(ResponseHead, OfARefusedMethodListsTheOthers) {
  http::Request request;
  request.keep_alive = true;
  EXPECT_EQ(written(http::error_response(request, Status::MethodNotAllowed).head),
            "HTTP/1.1 405 Method Not Allowed\r\n"
            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Content-Length: 23\r\n"
            "Allow: GET, HEAD\r\n"
            "\r\n");
}

TEST(ResponseHead, OfARedirectAndOfAnEnd) {
  ResponseHead head;
  head.status = Status::MovedPermanently;
  head.location = "/docs/";
  head.connection = ConnectionField::Close;
  EXPECT_EQ(written(head),
            "HTTP/1.1 301 Moved Permanently\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Location: /docs/\r\nConnection: close\r\n\r\n");
}

// More than any response has, each as long as it can be.
TEST(ResponseHead, TheLongestOneFits) {
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  const std::string type(64, 't');
  const std::string location(5000, 'l');
  for (const Status status : {Status::HeaderFieldsTooLarge, Status::MethodNotAllowed}) {
    ResponseHead head;
    head.status = status;
    head.content_type = type;
    head.content_length = kMost;
    head.content_range = ContentRange{.first = kMost - 1, .length = 1, .size = kMost};
    head.last_modified_seconds = 0;
    head.accept_ranges = true;
    head.location = location;
    head.connection = ConnectionField::KeepAlive;
    std::vector<char> out(http::kMaxHeadBytes + location.size());
    EXPECT_LE(http::write_head(head, kDate, out), out.size());
  }
}

TEST(ResponseHeadDeathTest, ASpanThatIsTooSmallIsNotOverrun) {
  const std::size_t size = written({}).size();
  std::vector<char> exact(size);
  EXPECT_EQ(http::write_head({}, kDate, exact), size);
  std::vector<char> small(size - 1);
  EXPECT_DEATH((void)http::write_head({}, kDate, small), "kMaxHeadBytes");
}

TEST(Status, EveryTextBeginsWithItsNumber) {
  for (const Status status :
       {Status::Ok, Status::PartialContent, Status::MovedPermanently, Status::NotModified,
        Status::BadRequest, Status::Forbidden, Status::NotFound, Status::MethodNotAllowed,
        Status::RequestTimeout, Status::ContentTooLarge, Status::UriTooLong,
        Status::RangeNotSatisfiable, Status::HeaderFieldsTooLarge, Status::InternalServerError,
        Status::NotImplemented, Status::ServiceUnavailable, Status::VersionNotSupported}) {
    const std::string number = std::to_string(static_cast<int>(status)) + " ";
    EXPECT_EQ(http::status_text(status).substr(0, 4), number);
    EXPECT_EQ(std::string(http::status_and_reason(status)) + "\n", http::status_text(status));
  }
}

}  // namespace
