#include <string_view>

#include "common/base/check.hpp"
#include "common/http/request_parser.hpp"
#include "docs/epoll_reference/bench/contenders.hpp"

namespace epoll_reference {
namespace {

constexpr double kBar_ns = 1000;

// What a load generator sends.
constexpr std::string_view kShortHead =
    "GET /index.html HTTP/1.1\r\n"
    "Host: 127.0.0.1:8080\r\n"
    "User-Agent: load\r\n"
    "Accept: */*\r\n"
    "\r\n";

// What a browser sends.
constexpr std::string_view kBrowserHead =
    "GET /docs/images/rings.svg?version=3 HTTP/1.1\r\n"
    "Host: localhost:8080\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
    "\r\n"
    "Accept-Language: en-US,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Connection: keep-alive\r\n"
    "Referer: http://localhost:8080/docs/index.html\r\n"
    "If-Modified-Since: Tue, 01 Jul 2025 10:00:00 GMT\r\n"
    "Sec-Fetch-Dest: document\r\n"
    "Sec-Fetch-Mode: navigate\r\n"
    "\r\n";

void parse(std::string_view head, std::uint64_t operations) {
  http::RequestParser parser;
  for (std::uint64_t i = 0; i < operations; ++i) {
    CHECK(parser.parse(head) == http::ParseState::Complete);
    CHECK(parser.head_bytes() == head.size());
    parser.reset();
  }
}

}  // namespace

Contender parse_short_head() {
  return {.name = "HTTP head parsed: 3 fields, " + std::to_string(kShortHead.size()) + " bytes",
          .run = [](std::uint64_t operations) { parse(kShortHead, operations); },
          .bar_ns = kBar_ns};
}

Contender parse_browser_head() {
  return {.name = "HTTP head parsed: 10 fields, " + std::to_string(kBrowserHead.size()) + " bytes",
          .run = [](std::uint64_t operations) { parse(kBrowserHead, operations); },
          .bar_ns = kBar_ns};
}

}  // namespace epoll_reference
