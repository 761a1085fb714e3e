#include <cstdint>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "common/http/byte_range.hpp"
#include "common/http/exchange.hpp"

namespace {

using http::byte_range;
using http::ByteRange;
using http::ConnectionField;
using http::FileFacts;
using http::Method;
using http::Request;
using http::Response;
using http::Status;

constexpr std::int64_t kMtime_seconds = 784'111'777;
constexpr std::string_view kMtime = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view kBefore = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr std::string_view kAfter = "Sun, 06 Nov 1994 08:49:38 GMT";
constexpr FileFacts kFile{.size = 1000, .mtime_seconds = kMtime_seconds};

struct RangeCase {
  const char* field;
  std::uint64_t size;
  const char* result;  // "whole", "none" (416), or "FIRST+LENGTH"
};

constexpr RangeCase kRanges[] = {
    {"bytes=0-0", 10, "0+1"},
    {"bytes=0-9", 10, "0+10"},
    {"bytes=0-10", 10, "0+10"},
    {"bytes=2-5", 10, "2+4"},
    {"bytes=9-9", 10, "9+1"},
    {"bytes=9-", 10, "9+1"},
    {"bytes=0-", 10, "0+10"},
    {"bytes=10-", 10, "none"},
    {"bytes=10-11", 10, "none"},
    {"bytes=-1", 10, "9+1"},
    {"bytes=-10", 10, "0+10"},
    {"bytes=-11", 10, "0+10"},
    {"bytes=-0", 10, "none"},
    {"Bytes=1-2", 10, "1+2"},
    {"bytes=001-0002", 10, "1+2"},
    {"bytes=1-99999999999999999999999999", 10, "1+9"},
    {"bytes=99999999999999999999999999-", 10, "none"},
    {"bytes=-99999999999999999999999999", 10, "0+10"},
    {"bytes=0-18446744073709551615", 18446744073709551615U, "0+18446744073709551615"},
    {"bytes=0-", 0, "none"},
    {"bytes=-5", 0, "whole"},

    {"", 10, "whole"},
    {"bytes", 10, "whole"},
    {"bytes=", 10, "whole"},
    {"bytes=-", 10, "whole"},
    {"bytes=5", 10, "whole"},
    {"bytes=5-2", 10, "whole"},
    {"bytes=a-b", 10, "whole"},
    {"bytes=1-b", 10, "whole"},
    {"bytes=1-2x", 10, "whole"},
    {"bytes=0x1-2", 10, "whole"},
    {"bytes= 1-2", 10, "whole"},
    {"bytes =1-2", 10, "whole"},
    {"bytes=1 -2", 10, "whole"},
    {"bytes=1- 2", 10, "whole"},
    {"bytes=--2", 10, "whole"},
    {"bytes=-2-", 10, "whole"},
    {"bytes=1--2", 10, "whole"},
    {"bytes=+1-2", 10, "whole"},
    {"bytes=0-1,3-4", 10, "whole"},
    {"bytes=-1,-2", 10, "whole"},
    {"bytes=0-1,", 10, "whole"},
    {"bytes=,0-1", 10, "whole"},
    {"items=0-1", 10, "whole"},
};

std::string text_of(const ByteRange& range) {
  switch (range.kind) {
    case ByteRange::Kind::Whole:
      return "whole";
    case ByteRange::Kind::Unsatisfiable:
      return "none";
    case ByteRange::Kind::Part:
      return std::to_string(range.first) + "+" + std::to_string(range.length);
  }
  return "?";
}

TEST(Range, IsReadAsTheTableSays) {
  for (const RangeCase& item : kRanges) {
    EXPECT_EQ(text_of(byte_range(item.field, item.size)), item.result)
        << item.field << " of " << item.size;
  }
}

Request get() {
  Request request;
  request.method = Method::Get;
  request.keep_alive = true;
  return request;
}

Response respond(const Request& request, const FileFacts& file = kFile) {
  return http::file_response(request, file, "text/x");
}

TEST(FileResponse, SendsTheWholeFile) {
  const Response response = respond(get());
  EXPECT_EQ(response.head.status, Status::Ok);
  EXPECT_EQ(response.head.content_type, "text/x");
  EXPECT_EQ(response.head.content_length, 1000U);
  EXPECT_EQ(response.head.last_modified_seconds, kMtime_seconds);
  EXPECT_TRUE(response.head.accept_ranges);
  EXPECT_FALSE(response.head.content_range);
  EXPECT_EQ(response.head.connection, ConnectionField::None);
  EXPECT_EQ(response.file_first, 0U);
  EXPECT_EQ(response.file_bytes, 1000U);
  EXPECT_EQ(response.text, "");
  EXPECT_FALSE(response.closes);
}

TEST(FileResponse, HeadHasTheSameHeadAndNoBody) {
  Request request = get();
  request.method = Method::Head;
  request.range = "bytes=1-2";
  const Response response = respond(request);
  EXPECT_EQ(response.head.status, Status::Ok) << "a range is for GET";
  EXPECT_EQ(response.head.content_length, 1000U);
  EXPECT_EQ(response.file_bytes, 0U);
}

TEST(FileResponse, SendsAPart) {
  Request request = get();
  request.range = "bytes=10-19";
  const Response response = respond(request);
  EXPECT_EQ(response.head.status, Status::PartialContent);
  EXPECT_EQ(response.head.content_length, 10U);
  ASSERT_TRUE(response.head.content_range);
  EXPECT_EQ(response.head.content_range->first, 10U);
  EXPECT_EQ(response.head.content_range->length, 10U);
  EXPECT_EQ(response.head.content_range->size, 1000U);
  EXPECT_EQ(response.file_first, 10U);
  EXPECT_EQ(response.file_bytes, 10U);
}

TEST(FileResponse, SaysThatARangeIsBehindTheEnd) {
  Request request = get();
  request.range = "bytes=1000-";
  const Response response = respond(request);
  EXPECT_EQ(response.head.status, Status::RangeNotSatisfiable);
  ASSERT_TRUE(response.head.content_range);
  EXPECT_EQ(response.head.content_range->length, 0U);
  EXPECT_EQ(response.head.content_range->size, 1000U);
  EXPECT_EQ(response.text, "416 Range Not Satisfiable\n");
  EXPECT_EQ(response.head.content_length, response.text.size());
  EXPECT_EQ(response.file_bytes, 0U);
  EXPECT_FALSE(response.closes);
}

TEST(FileResponse, IfRangeLetsTheRangePassForTheSameDateOnly) {
  Request request = get();
  request.range = "bytes=1-2";
  request.if_range = kMtime;
  EXPECT_EQ(respond(request).head.status, Status::PartialContent);
  for (const std::string_view other :
       {kBefore, kAfter, std::string_view("\"tag\""), std::string_view(),
        std::string_view("Sunday, 06-Nov-94 08:49:37 GMT")}) {
    request.if_range = other;
    EXPECT_EQ(respond(request).head.status, Status::Ok) << other;
    EXPECT_EQ(respond(request).file_bytes, 1000U) << other;
  }
}

TEST(FileResponse, IsNotModifiedSinceTheTimeOfTheFile) {
  const struct {
    std::string_view since;
    Status status;
  } kCases[] = {
      {kBefore, Status::Ok},
      {kMtime, Status::NotModified},
      {kAfter, Status::NotModified},
      {"Sunday, 06-Nov-94 08:49:37 GMT", Status::NotModified},
      {"Sun Nov  6 08:49:37 1994", Status::NotModified},
      {"tomorrow", Status::Ok},
      {"", Status::Ok},
  };
  for (const Method method : {Method::Get, Method::Head}) {
    for (const auto& item : kCases) {
      Request request = get();
      request.method = method;
      request.if_modified_since = item.since;
      EXPECT_EQ(respond(request).head.status, item.status) << item.since;
    }
  }
}

TEST(FileResponse, ANotModifiedHasNoBodyAndNoLength) {
  Request request = get();
  request.if_modified_since = kMtime;
  request.range = "bytes=0-1";
  const Response response = respond(request);
  EXPECT_EQ(response.head.status, Status::NotModified);
  EXPECT_EQ(response.head.last_modified_seconds, kMtime_seconds);
  EXPECT_FALSE(response.head.content_length);
  EXPECT_EQ(response.head.content_type, "");
  EXPECT_EQ(response.text, "");
  EXPECT_EQ(response.file_bytes, 0U);
}

TEST(FileResponse, IfNoneMatchSwitchesIfModifiedSinceOff) {
  Request request = get();
  request.if_modified_since = kMtime;
  request.has_if_none_match = true;
  EXPECT_EQ(respond(request).head.status, Status::Ok);
}

TEST(FileResponse, ATimeThatHasNoDateIsNotSent) {
  Request request = get();
  request.if_modified_since = kAfter;
  request.range = "bytes=0-1";
  request.if_range = kMtime;
  const Response response = respond(request, {.size = 5, .mtime_seconds = -1});
  EXPECT_EQ(response.head.status, Status::Ok);
  EXPECT_FALSE(response.head.last_modified_seconds);
  EXPECT_EQ(response.file_bytes, 5U);
}

TEST(FileResponse, SaysWhatBecomesOfTheConnection) {
  Request request = get();
  request.keep_alive = false;
  EXPECT_EQ(respond(request).head.connection, ConnectionField::Close);
  EXPECT_TRUE(respond(request).closes);
  request.keep_alive = true;
  request.version = http::Version::Http10;
  EXPECT_EQ(respond(request).head.connection, ConnectionField::KeepAlive);
  EXPECT_FALSE(respond(request).closes);
}

TEST(ErrorResponse, HasAShortText) {
  Request request = get();
  const Response response = http::error_response(request, Status::NotFound);
  EXPECT_EQ(response.head.status, Status::NotFound);
  EXPECT_EQ(response.text, "404 Not Found\n");
  EXPECT_EQ(response.head.content_length, response.text.size());
  EXPECT_EQ(response.head.content_type, "text/plain; charset=utf-8");
  EXPECT_FALSE(response.closes);
  request.method = Method::Head;
  request.keep_alive = false;
  const Response head = http::error_response(request, Status::NotFound);
  EXPECT_EQ(head.text, "");
  EXPECT_EQ(head.head.content_length, response.text.size());
  EXPECT_TRUE(head.closes);
}

TEST(ErrorResponse, TheFinalOneCloses) {
  const Response response = http::final_response(Status::RequestTimeout);
  EXPECT_EQ(response.text, "408 Request Timeout\n");
  EXPECT_EQ(response.head.connection, ConnectionField::Close);
  EXPECT_TRUE(response.closes);
}

TEST(RedirectResponse, NamesTheLocation) {
  const Response response = http::redirect_response(get(), "/docs/");
  EXPECT_EQ(response.head.status, Status::MovedPermanently);
  EXPECT_EQ(response.head.location, "/docs/");
  EXPECT_EQ(response.text, "301 Moved Permanently\n");
}

}  // namespace
