// What `m2_file_server bench serve` decides without a server: lists of numbers, and whether an
// answer is right, in whatever pieces it comes.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "m2_file_server/bench/serve_options.hpp"
#include "m2_file_server/bench/serve_response.hpp"

namespace {

using file_server::serve_bench::ExpectedAnswer;
using file_server::serve_bench::parse_list;
using file_server::serve_bench::ResponseCheck;
using State = ResponseCheck::State;

constexpr std::string_view kContent = "the bytes of a file";

std::string answer(std::string_view fields, std::string_view body = kContent) {
  return "HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

// The state after the last piece, or after the first one that is wrong.
State take_in_pieces(ResponseCheck& check, std::string_view text, std::size_t piece,
                     const ExpectedAnswer& expected) {
  check.begin(expected);
  State state = State::More;
  for (std::size_t i = 0; i < text.size() && state != State::Wrong; i += piece) {
    state = check.take(std::as_bytes(std::span(text.substr(i, piece))));
  }
  return state;
}

class Response : public testing::Test {
 protected:
  // The same whatever the pieces are.
  State take(const std::string& text) {
    const State whole = take_in_pieces(check_, text, text.size(), expected_);
    for (std::size_t piece = 1; piece < text.size(); ++piece) {
      EXPECT_EQ(take_in_pieces(check_, text, piece, expected_), whole) << "in pieces of " << piece;
    }
    return whole;
  }

  ExpectedAnswer expected_{.content = std::as_bytes(std::span(kContent)), .compare_bytes = true};
  ResponseCheck check_;
};

TEST_F(Response, RightOnes) {
  EXPECT_EQ(take(answer("Content-Length: 19\r\n")), State::Done);
  EXPECT_EQ(take(answer("Date: x\r\ncontent-LENGTH:19\r\nServer: y\r\n")), State::Done);
  expected_.closes = true;
  EXPECT_EQ(take(answer("Content-Length: 19\r\nConnection: close\r\n")), State::Done);
  expected_ = {};
  EXPECT_EQ(take(answer("Content-Length: 0\r\n", "")), State::Done);
}

TEST_F(Response, NotAllOfIt) {
  EXPECT_EQ(take(answer("Content-Length: 19\r\n", kContent.substr(1))), State::Wrong);
  EXPECT_EQ(take(answer("Content-Length: 19\r\n", kContent.substr(0, 18))), State::More);
  EXPECT_EQ(take("HTTP/1.1 200 OK\r\nContent-Length: 19\r\n"), State::More);
}

TEST_F(Response, WrongHeads) {
  EXPECT_EQ(take("HTTP/1.1 404 Not Found\r\nContent-Length: 19\r\n\r\n"), State::Wrong);
  EXPECT_STREQ(check_.problem(), "the status is not 200");
  EXPECT_EQ(take(answer("Content-Length: 18\r\n")), State::Wrong);
  EXPECT_EQ(take(answer("X-Content-Length: 19\r\n")), State::Wrong);
  EXPECT_EQ(take(answer("Content-Length: 19\r\nContent-Length: 19\r\n")), State::Wrong);
  EXPECT_EQ(take(answer("Content-Length: 19\r\nConnection: close\r\n")), State::Wrong);
  expected_.closes = true;
  EXPECT_EQ(take(answer("Content-Length: 19\r\n")), State::Wrong);
}

TEST_F(Response, AHeadThatDoesNotEnd) {
  EXPECT_EQ(take_in_pieces(check_, std::string(5000, 'x'), 1000, expected_), State::Wrong);
  EXPECT_STREQ(check_.problem(), "the head does not end");
}

TEST_F(Response, WrongBodies) {
  const std::string other = answer("Content-Length: 19\r\n", "the bytes of a fi1e");
  EXPECT_EQ(take(other), State::Wrong);
  EXPECT_EQ(take(answer("Content-Length: 19\r\n") + "x"), State::Wrong);
  expected_.compare_bytes = false;
  EXPECT_EQ(take(other), State::Done);
  EXPECT_EQ(take(answer("Content-Length: 19\r\n") + "x"), State::Wrong);
}

TEST(List, Numbers) {
  const auto sizes = [](std::string_view text) {
    return parse_list(text, support::kSizeUnits, 1, 1 << 20);
  };
  EXPECT_EQ(sizes("1K,64K,1M"), (std::vector<std::uint64_t>{1 << 10, 64 << 10, 1 << 20}));
  EXPECT_EQ(sizes("7"), std::vector<std::uint64_t>{7});
  for (const std::string_view text : {"", ",", "1,", ",1", "1,,2", "0", "-1", "2M", "1 ,2", "a"}) {
    EXPECT_EQ(sizes(text), std::nullopt) << text;
  }
}

}  // namespace
