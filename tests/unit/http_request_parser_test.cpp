#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "common/http/request_parser.hpp"

namespace {

using http::Limits;
using http::Method;
using http::ParseState;
using http::RequestParser;
using http::Status;
using http::Version;

constexpr std::string_view kBrowser =
    "GET /static/main.css?v=12 HTTP/1.1\r\n"
    "Host: www.example.org:8080\r\n"
    "Connection: keep-alive\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n"
    "Accept: */*\r\n"
    "Range: bytes=0-99\r\n"
    "If-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    "If-Modified-Since: Mon, 07 Nov 1994 08:49:37 GMT\r\n"
    "\r\n";

// All that a parser knows at its end, as text: two results are the same if their texts are.
std::string summary(const RequestParser& parser, ParseState state) {
  if (state == ParseState::Incomplete) {
    return "incomplete";
  }
  if (state == ParseState::Error) {
    return "error " + std::to_string(static_cast<int>(parser.error()));
  }
  const http::Request& request = parser.request();
  const auto optional_text = [](std::optional<std::string_view> text) {
    return text ? "'" + std::string(*text) + "'" : std::string("none");
  };
  std::string text = std::to_string(parser.head_bytes());
  for (const std::string_view part :
       {request.method_text, request.target, request.path, request.query, request.host}) {
    text += " '" + std::string(part) + "'";
  }
  text += request.version == Version::Http10 ? " 1.0" : " 1.1";
  for (const bool flag :
       {request.method == Method::Get, request.method == Method::Head, request.has_host,
        request.keep_alive, request.expect_continue, request.chunked, request.has_if_none_match}) {
    text += flag ? " y" : " n";
  }
  text += " length " + (request.content_length ? std::to_string(*request.content_length) : "none");
  text += " " + optional_text(request.if_modified_since) + " " + optional_text(request.if_range) +
          " " + optional_text(request.range) + " " + std::to_string(request.header_count);
  return text;
}

std::string parsed_whole(std::string_view bytes) {
  RequestParser parser;
  const ParseState state = parser.parse(bytes);
  return summary(parser, state);
}

// The requests with which every way of cutting is tried: good ones, and bad ones of each kind.
const std::vector<std::string>& samples() {
  static const std::vector<std::string> kSamples = {
      std::string(kBrowser),
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "\r\nHEAD http://b.example?q HTTP/1.0\r\n\r\n",
      "POST /form HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
      "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /second HTTP/1.1\r\nHost: b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
      "GET / HTTP/1.1\nHost: a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded\r\n\r\n",
      "GET / HTTP/2.0\r\n\r\n",
      "GET /unfinished HTTP/1.1\r\nHost: a\r\n",
  };
  return kSamples;
}

TEST(RequestParser, ReadsWhatABrowserSends) {
  RequestParser parser;
  ASSERT_EQ(parser.parse(kBrowser), ParseState::Complete);
  const http::Request& request = parser.request();
  EXPECT_EQ(parser.head_bytes(), kBrowser.size());
  EXPECT_EQ(request.method, Method::Get);
  EXPECT_EQ(request.method_text, "GET");
  EXPECT_EQ(request.target, "/static/main.css?v=12");
  EXPECT_EQ(request.path, "/static/main.css");
  EXPECT_EQ(request.query, "?v=12");
  EXPECT_EQ(request.version, Version::Http11);
  EXPECT_TRUE(request.has_host);
  EXPECT_EQ(request.host, "www.example.org:8080");
  EXPECT_TRUE(request.keep_alive);
  EXPECT_FALSE(request.expect_continue);
  EXPECT_FALSE(request.has_body());
  EXPECT_EQ(request.content_length, std::nullopt);
  EXPECT_EQ(request.range, "bytes=0-99");
  EXPECT_EQ(request.if_range, "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(request.if_modified_since, "Mon, 07 Nov 1994 08:49:37 GMT");
  EXPECT_FALSE(request.has_if_none_match);
  EXPECT_EQ(request.header_count, 7U);
}

TEST(RequestParser, EverySplitInTwoGivesTheSame) {
  for (const std::string& bytes : samples()) {
    const std::string whole = parsed_whole(bytes);
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
      RequestParser parser;
      parser.parse(std::string_view(bytes).substr(0, cut));
      EXPECT_EQ(summary(parser, parser.parse(bytes)), whole) << bytes << " cut at " << cut;
    }
  }
}

// In a new buffer for each byte: offsets survive that, pointers would not (ASan sees a read of the
// old).
TEST(RequestParser, OneByteAtATimeInMovingBuffersGivesTheSame) {
  for (const std::string& bytes : samples()) {
    RequestParser parser;
    std::unique_ptr<char[]> buffer;
    ParseState state = ParseState::Incomplete;
    for (std::size_t size = 1; size <= bytes.size(); ++size) {
      auto next = std::make_unique<char[]>(size);
      std::copy_n(bytes.data(), size, next.get());
      if (buffer) {
        std::fill_n(buffer.get(), size - 1, '?');
      }
      buffer = std::move(next);
      state = parser.parse({buffer.get(), size});
    }
    EXPECT_EQ(summary(parser, state), parsed_whole(bytes)) << bytes;
  }
}

TEST(RequestParser, IsCompleteWithTheLastByteAndNotBefore) {
  RequestParser parser;
  for (std::size_t size = 0; size < kBrowser.size(); ++size) {
    ASSERT_EQ(parser.parse(kBrowser.substr(0, size)), ParseState::Incomplete) << size;
  }
  EXPECT_EQ(parser.parse(kBrowser), ParseState::Complete);
}

TEST(RequestParser, WhatIsWrongShowsWithTheEndOfItsLine) {
  const std::string bytes = "GET / HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n";
  RequestParser parser;
  EXPECT_EQ(parser.parse(std::string_view(bytes).substr(0, bytes.size() - 1)),
            ParseState::Incomplete);
  EXPECT_EQ(parser.parse(bytes), ParseState::Error);
  EXPECT_EQ(parser.parse(bytes + "\r\n"), ParseState::Error) << "it stays wrong";
}

TEST(RequestParser, AfterCompleteTheViewsFollowTheBuffer) {
  RequestParser parser;
  auto first = std::make_unique<std::string>(kBrowser);
  ASSERT_EQ(parser.parse(*first), ParseState::Complete);
  const std::string second(kBrowser);
  first.reset();
  ASSERT_EQ(parser.parse(second), ParseState::Complete);
  EXPECT_EQ(parser.request().path.data(), second.data() + 4);
  EXPECT_EQ(parser.request().path, "/static/main.css");
}

TEST(RequestParser, PipelinedRequestsComeOneByOne) {
  const std::string bytes =
      "GET /1 HTTP/1.1\r\nHost: a\r\nRange: bytes=1-2\r\n\r\n"
      "HEAD /2 HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n"
      "GET /3 HT";
  std::string_view rest = bytes;
  RequestParser parser;
  ASSERT_EQ(parser.parse(rest), ParseState::Complete);
  EXPECT_EQ(parser.request().path, "/1");
  rest.remove_prefix(parser.head_bytes());
  parser.reset();
  ASSERT_EQ(parser.parse(rest), ParseState::Complete);
  EXPECT_EQ(parser.request().method, Method::Head);
  EXPECT_EQ(parser.request().path, "/2");
  EXPECT_EQ(parser.request().range, std::nullopt) << "nothing of the first request is left";
  EXPECT_EQ(parser.request().header_count, 2U);
  rest.remove_prefix(parser.head_bytes());
  parser.reset();
  EXPECT_EQ(parser.parse(rest), ParseState::Incomplete);
  EXPECT_EQ(rest, "GET /3 HT");
}

http::Request request_of(const std::string& bytes) {
  static RequestParser parser;
  static std::string kept;
  parser.reset();
  kept = bytes;
  EXPECT_EQ(parser.parse(kept), ParseState::Complete) << bytes;
  return parser.request();
}

TEST(RequestParser, KeepAliveIsWhatVersionAndConnectionSay) {
  const struct {
    const char* version;
    const char* fields;
    bool keep_alive;
  } kCases[] = {
      {"1.1", "", true},
      {"1.1", "Connection: close\r\n", false},
      {"1.1", "connection: CLOSE\r\n", false},
      {"1.1", "Connection: foo,\tclose , bar\r\n", false},
      {"1.1", "Connection: keep-alive\r\nConnection: close\r\n", false},
      {"1.1", "Connection: closed\r\n", true},
      {"1.1", "Connection: ,,\r\n", true},
      {"1.9", "", true},
      {"1.0", "", false},
      {"1.0", "Connection: Keep-Alive\r\n", true},
      {"1.0", "Connection: keep-alive, close\r\n", false},
  };
  for (const auto& item : kCases) {
    const auto request = request_of(std::string("GET / HTTP/") + item.version + "\r\nHost: a\r\n" +
                                    item.fields + "\r\n");
    EXPECT_EQ(request.keep_alive, item.keep_alive) << item.version << " " << item.fields;
  }
}

TEST(RequestParser, EndsTheConnectionWhereTheNextRequestCannotBeFound) {
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n";
  EXPECT_TRUE(request_of(post + "\r\n").expect_continue);
  EXPECT_TRUE(request_of(post + "\r\n").keep_alive) << "no body to wait for";
  EXPECT_FALSE(request_of(post + "Content-Length: 3\r\n\r\n").keep_alive);
  EXPECT_FALSE(request_of(post + "Transfer-Encoding: chunked\r\n\r\n").keep_alive);
  EXPECT_FALSE(request_of("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n").keep_alive);
  EXPECT_FALSE(request_of("POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").expect_continue);
}

TEST(RequestParser, ReadsHowTheBodyIsFramed) {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\n";
  EXPECT_EQ(request_of(head + "Content-Length: 0\r\n\r\n").content_length, 0U);
  EXPECT_FALSE(request_of(head + "Content-Length: 0\r\n\r\n").has_body());
  EXPECT_EQ(request_of(head + "CONTENT-LENGTH:17  \r\n\r\n").content_length, 17U);
  EXPECT_EQ(request_of(head + "Content-Length: 0017\r\n\r\n").content_length, 17U);
  EXPECT_TRUE(request_of(head + "Content-Length: 1\r\n\r\n").has_body());
  EXPECT_TRUE(request_of(head + "Transfer-Encoding: Chunked\r\n\r\n").chunked);
  EXPECT_TRUE(request_of(head + "Transfer-Encoding: chunked\r\n\r\n").has_body());
}

TEST(RequestParser, ReducesAnAbsoluteTargetToItsPath) {
  const struct {
    const char* target;
    const char* path;
    const char* query;
    const char* host;
  } kCases[] = {
      {"http://b.example/x/y?z", "/x/y", "?z", "b.example"},
      {"HTTPS://b.example:443/x", "/x", "", "b.example:443"},
      {"http://[::1]:80/", "/", "", "[::1]:80"},
      {"http://b.example", "/", "", "b.example"},
      {"http://b.example?q=/../", "/", "?q=/../", "b.example"},
      {"/x?http://b.example/y?w", "/x", "?http://b.example/y?w", "a"},
      {"//b.example/x", "//b.example/x", "", "a"},
      {"/x?", "/x", "?", "a"},
  };
  for (const auto& item : kCases) {
    const auto request =
        request_of(std::string("GET ") + item.target + " HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(request.target, item.target);
    EXPECT_EQ(request.path, item.path) << item.target;
    EXPECT_EQ(request.query, item.query) << item.target;
    EXPECT_EQ(request.host, item.host) << item.target;
  }
}

TEST(RequestParser, OtherMethodsAreNoErrorHere) {
  for (const char* line :
       {"DELETE /x", "OPTIONS *", "CONNECT b.example:443", "get /x", "GE~T /x"}) {
    const auto request = request_of(std::string(line) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(request.method, Method::Other);
    EXPECT_EQ(std::string(request.method_text) + " " + std::string(request.target), line);
    EXPECT_EQ(request.path, "");
  }
}

TEST(RequestParser, AFieldOfWhichOneIsExpectedSaysNothingIfThereAreTwo) {
  const auto request = request_of(
      "GET / HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1\r\nRange: bytes=5-6\r\n"
      "If-Range: a\r\nIf-Range: b\r\nIf-Range: c\r\nIf-None-Match: *\r\nIf-Modified-Siren: "
      "1\r\n\r\n");
  EXPECT_EQ(request.range, "");
  EXPECT_EQ(request.if_range, "");
  EXPECT_EQ(request.if_modified_since, std::nullopt);
  EXPECT_TRUE(request.has_if_none_match);
}

TEST(RequestParser, ValuesMayHoldTabsAndHighBytesAnywhere) {
  for (std::size_t before = 0; before < 20; ++before) {
    for (const char* middle : {"\t", "\x80", "\xff", "\t\t\t\t\t\t\t\t", "!\x80\t"}) {
      const std::string value = std::string(before, 'x') + middle + "yyyyyyyyyyyy";
      request_of("GET / HTTP/1.1\r\nHost: a\r\nX: " + value + "\r\n\r\n");
    }
  }
}

TEST(RequestParser, NoControlCharacterInAValueIsOverlooked) {
  for (std::size_t before = 0; before < 20; ++before) {
    for (const unsigned byte : {0U, 1U, 8U, 11U, 12U, 13U, 27U, 31U, 127U}) {
      for (const char* around : {"x", "\x80", "\t"}) {
        std::string value(before, *around);
        value += static_cast<char>(byte);
        value.append(before / 2, *around);
        RequestParser parser;
        EXPECT_EQ(parser.parse("GET / HTTP/1.1\r\nHost: a\r\nX:" + value + "y\r\n\r\n"),
                  ParseState::Error)
            << byte << " behind " << before;
      }
    }
  }
}

// --- Limits: what is exactly as large as the limit passes, one more does not.

Status error_of(const Limits& limits, const std::string& bytes) {
  RequestParser parser(limits);
  const ParseState state = parser.parse(bytes);
  return state == ParseState::Error ? parser.error() : Status::Ok;
}

TEST(RequestParser, HoldsTheHeadToItsLimit) {
  const Limits limits{
      .max_head_bytes = 100, .max_target_bytes = 50, .max_headers = 9, .max_body_bytes = 9};
  std::string head = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
  head.append(100 - 4 - head.size(), 'x');
  const std::string exact = head + "\r\n\r\n";
  ASSERT_EQ(exact.size(), 100U);
  EXPECT_EQ(error_of(limits, exact), Status::Ok);
  EXPECT_EQ(error_of(limits, exact + "GET /next"), Status::Ok);
  EXPECT_EQ(error_of(limits, head + "x\r\n\r\n"), Status::HeaderFieldsTooLarge);
  EXPECT_EQ(error_of(limits, std::string(exact).replace(99, 1, "x")), Status::HeaderFieldsTooLarge);
}

TEST(RequestParser, TheLimitOfTheHeadIsTheSameForPieces) {
  const Limits limits{
      .max_head_bytes = 100, .max_target_bytes = 50, .max_headers = 9, .max_body_bytes = 9};
  const std::string bytes = "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(200, 'x');
  RequestParser parser(limits);
  for (std::size_t size = 1; size < 100; ++size) {
    ASSERT_EQ(parser.parse(std::string_view(bytes).substr(0, size)), ParseState::Incomplete)
        << size;
  }
  EXPECT_EQ(parser.parse(std::string_view(bytes).substr(0, 100)), ParseState::Error);
  EXPECT_EQ(parser.error(), Status::HeaderFieldsTooLarge);
}

TEST(RequestParser, HoldsTheTargetToItsLimit) {
  const Limits limits;
  const auto request_with_target = [](std::size_t size) {
    return "GET /" + std::string(size - 1, 't') + " HTTP/1.1\r\nHost: a\r\n\r\n";
  };
  EXPECT_EQ(error_of(limits, request_with_target(4096)), Status::Ok);
  EXPECT_EQ(error_of(limits, request_with_target(4097)), Status::UriTooLong);
  EXPECT_EQ(error_of(limits, request_with_target(9000)), Status::UriTooLong);
  EXPECT_EQ(error_of(limits, "GET /" + std::string(9000, 't')), Status::UriTooLong);
}

TEST(RequestParser, HoldsTheNumberOfHeaderLinesToItsLimit) {
  const auto request_with_headers = [](std::size_t count) {
    std::string bytes = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (std::size_t line = 1; line < count; ++line) {
      bytes += "X: y\r\n";
    }
    return bytes + "\r\n";
  };
  EXPECT_EQ(error_of({}, request_with_headers(100)), Status::Ok);
  EXPECT_EQ(error_of({}, request_with_headers(101)), Status::HeaderFieldsTooLarge);
}

TEST(RequestParser, HoldsTheContentLengthToItsLimit) {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ";
  EXPECT_EQ(error_of({}, head + "1048576\r\n\r\n"), Status::Ok);
  EXPECT_EQ(error_of({}, head + "1048577\r\n\r\n"), Status::ContentTooLarge);
  EXPECT_EQ(error_of({}, head + "18446744073709551615\r\n\r\n"), Status::ContentTooLarge);
}

}  // namespace
