#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "common/http/body_skipper.hpp"
#include "common/http/request_parser.hpp"

namespace {

using namespace std::string_view_literals;
using http::BodySkipper;
using http::Limits;
using http::Request;
using http::SkipState;
using http::Status;

Request chunked_request() {
  Request request;
  request.chunked = true;
  return request;
}

Request request_of_length(std::uint64_t length) {
  Request request;
  request.content_length = length;
  return request;
}

// How a body ends that comes in pieces of `piece` bytes: "done 12" (bytes of it), "more", "error
// 400".
std::string skipped(const Request& request, const Limits& limits, std::string_view bytes,
                    std::size_t piece) {
  BodySkipper skipper(request, limits);
  std::size_t total = 0;
  while (total < bytes.size()) {
    const auto [state, consumed] = skipper.skip(bytes.substr(total, piece));
    total += consumed;
    if (state == SkipState::Done) {
      return "done " + std::to_string(total);
    }
    if (state == SkipState::Error) {
      return "error " + std::to_string(static_cast<int>(skipper.error()));
    }
    EXPECT_EQ(consumed, std::min(piece, bytes.size() - total + consumed)) << "More takes all";
  }
  return "more";
}

TEST(BodySkipper, WithoutABodyItIsDone) {
  EXPECT_TRUE(BodySkipper().done());
  EXPECT_TRUE(BodySkipper(Request{}, {}).done());
  EXPECT_TRUE(BodySkipper(request_of_length(0), {}).done());
  const auto [state, consumed] = BodySkipper().skip("GET / HTTP/1.1");
  EXPECT_EQ(state, SkipState::Done);
  EXPECT_EQ(consumed, 0U) << "the next request is not its business";
}

TEST(BodySkipper, SkipsAContentLengthInAnyPieces) {
  for (std::size_t piece = 1; piece < 12; ++piece) {
    EXPECT_EQ(skipped(request_of_length(5), {}, "helloGET /", piece), "done 5");
    EXPECT_EQ(skipped(request_of_length(11), {}, "helloGET /", piece), "more");
  }
}

struct Body {
  const char* name;
  std::string_view bytes;
  const char* outcome;
};

// Behind each good body stands the beginning of the next request, which must be left.
constexpr Body kBodies[] = {
    {"empty", "0\r\n\r\nGET"sv, "done 5"},
    {"one_chunk", "5\r\nhello\r\n0\r\n\r\nGET"sv, "done 15"},
    {"two_chunks", "5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\nGET"sv, "done 30"},
    {"hex_in_both_cases", "a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\nGET"sv, "done 36"},
    {"content_like_a_request", "5\r\nGET /\r\n0\r\n\r\nGET"sv, "done 15"},
    {"content_like_an_end", "7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\nGET"sv, "done 17"},
    {"leading_zeros", "0005\r\nhello\r\n000\r\n\r\nGET"sv, "done 20"},
    {"sixteen_digits", "0000000000000001\r\nx\r\n0\r\n\r\nGET"sv, "done 26"},
    {"extension", "5;a=b;c=\"d\t\"\r\nhello\r\n0;x\r\n\r\nGET"sv, "done 28"},
    {"trailers", "0\r\nX: y\r\nZ:\r\n\r\nGET"sv, "done 15"},
    {"not_the_end_yet", "5\r\nhello\r\n0\r\n\r"sv, "more"},

    {"no_size", "\r\nhello\r\n0\r\n\r\n"sv, "error 400"},
    {"no_hex", "g\r\nhello\r\n0\r\n\r\n"sv, "error 400"},
    {"prefix_0x", "0x5\r\nhello\r\n0\r\n\r\n"sv, "error 400"},
    {"sign_plus", "+5\r\nhello\r\n0\r\n\r\n"sv, "error 400"},
    {"sign_minus", "-5\r\nhello\r\n0\r\n\r\n"sv, "error 400"},
    {"space_before_the_size", " 5\r\nhello\r\n0\r\n\r\n"sv, "error 400"},
    {"space_behind_the_size", "5 \r\nhello\r\n0\r\n\r\n"sv, "error 400"},
    {"tab_behind_the_size", "5\t\r\nhello\r\n0\r\n\r\n"sv, "error 400"},
    {"space_before_the_extension", "5 ;a\r\nhello\r\n0\r\n\r\n"sv, "error 400"},
    {"seventeen_digits", "00000000000000005\r\nhello\r\n0\r\n\r\n"sv, "error 400"},
    {"overflow_to_a_small_size", "10000000000000005\r\nhello\r\n0\r\n\r\n"sv, "error 400"},
    {"largest_size", "ffffffffffffffff\r\nhello\r\n0\r\n\r\n"sv, "error 413"},
    {"bare_lf_behind_the_size", "5\nhello\r\n0\r\n\r\n"sv, "error 400"},
    {"bare_cr_behind_the_size", "5\rhello\r\n0\r\n\r\n"sv, "error 400"},
    {"bare_lf_in_the_extension", "5;a\nhello\r\n0\r\n\r\n"sv, "error 400"},
    {"bare_cr_in_the_extension", "5;a\rb\r\nhello\r\n0\r\n\r\n"sv, "error 400"},
    {"nul_in_the_extension", "5;a\0\r\nhello\r\n0\r\n\r\n"sv, "error 400"},
    {"content_too_long", "5\r\nhello!\r\n0\r\n\r\n"sv, "error 400"},
    {"content_too_short", "5\r\nhell\r\n0\r\n\r\n"sv, "error 400"},
    {"bare_lf_behind_the_content", "5\r\nhello\n0\r\n\r\n"sv, "error 400"},
    {"bare_cr_behind_the_content", "5\r\nhello\r0\r\n\r\n"sv, "error 400"},
    {"two_bytes_for_crlf", "5\r\nhelloXX0\r\n\r\n"sv, "error 400"},
    {"bare_lf_at_the_end", "0\r\n\n"sv, "error 400"},
    {"bare_cr_at_the_end", "0\r\n\rGET"sv, "error 400"},
    {"trailer_folded", "0\r\nX: y\r\n z\r\n\r\n"sv, "error 400"},
    {"trailer_without_colon", "0\r\nGET / HTTP/1.1\r\n\r\n"sv, "error 400"},
    {"trailer_without_name", "0\r\n: y\r\n\r\n"sv, "error 400"},
    {"trailer_with_bare_lf", "0\r\nX: y\nZ: w\r\n\r\n"sv, "error 400"},
    {"trailer_with_bare_cr", "0\r\nX: y\rz\r\n\r\n"sv, "error 400"},
};

void PrintTo(const Body& body, std::ostream* out) {
  *out << body.name;
}

class ChunkedBody : public testing::TestWithParam<Body> {};

TEST_P(ChunkedBody, EndsAsTheTableSaysInAnyPieces) {
  const std::string_view bytes = GetParam().bytes;
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    EXPECT_EQ(skipped(chunked_request(), {}, bytes, piece), GetParam().outcome) << piece;
  }
}

INSTANTIATE_TEST_SUITE_P(Table, ChunkedBody, testing::ValuesIn(kBodies),
                         [](const auto& item) { return std::string(item.param.name); });

TEST(BodySkipper, HoldsTheContentOfAllChunksToTheLimit) {
  const Limits limits{
      .max_head_bytes = 8192, .max_target_bytes = 1, .max_headers = 1, .max_body_bytes = 8};
  EXPECT_EQ(skipped(chunked_request(), limits, "8\r\n01234567\r\n0\r\n\r\n", 99), "done 18");
  EXPECT_EQ(skipped(chunked_request(), limits, "9\r\n", 99), "error 413") << "before it comes";
  EXPECT_EQ(skipped(chunked_request(), limits, "5\r\nhello\r\n3\r\nyou\r\n0\r\n\r\n", 99),
            "done 23");
  EXPECT_EQ(skipped(chunked_request(), limits, "5\r\nhello\r\n4\r\n", 99), "error 413");
}

TEST(BodySkipper, HoldsExtensionsAndTrailersToTheLengthOfAHead) {
  const Limits limits{
      .max_head_bytes = 10, .max_target_bytes = 1, .max_headers = 1, .max_body_bytes = 8};
  const auto outcome = [&limits](const std::string& bytes) {
    return skipped(chunked_request(), limits, bytes, 99);
  };
  EXPECT_EQ(outcome("1;345678910\r\nx\r\n0\r\n\r\n"), "done 21");
  EXPECT_EQ(outcome("1;3456789101\r\nx\r\n0\r\n\r\n"), "error 413");
  EXPECT_EQ(outcome("1;345678910\r\nx\r\n0;\r\n\r\n"), "error 413");
  EXPECT_EQ(outcome("0\r\nX: 456789\r\n\r\n"), "done 16");
  EXPECT_EQ(outcome("0\r\nX: 4567890\r\n\r\n"), "error 413");
}

TEST(BodySkipper, AfterABodyTheNextRequestIsFound) {
  const std::string bytes =
      "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "1f\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n0\r\n\r\n"
      "PUT /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nGET /x HT"
      "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n";
  std::string_view rest = bytes;
  http::RequestParser parser;
  std::string targets;
  while (!rest.empty()) {
    parser.reset();
    ASSERT_EQ(parser.parse(rest), http::ParseState::Complete) << rest;
    targets += parser.request().target;
    rest.remove_prefix(parser.head_bytes());
    const auto [state, consumed] = BodySkipper(parser.request(), {}).skip(rest);
    ASSERT_EQ(state, SkipState::Done) << rest;
    rest.remove_prefix(consumed);
  }
  EXPECT_EQ(targets, "/1/2/3");
}

}  // namespace
