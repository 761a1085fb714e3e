// The load client's reader of responses: right ones in any pieces, and each wrong one.

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "checkpoints/load_client/response_reader.hpp"

namespace {

using load_client::Answer;
using load_client::ResponseReader;
using Step = ResponseReader::Step;

constexpr std::string_view kRight = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

Answer known(std::string_view body) {
  Answer answer;
  answer.content_length = body.size();
  for (const char letter : body) {
    answer.body.push_back(static_cast<std::byte>(letter));
  }
  return answer;
}

// How a response ends that comes in pieces of `piece` bytes; NeedsMore if it does not.
Step read(ResponseReader& reader, Answer& answer, std::string_view response, std::size_t piece,
          bool head_only = false) {
  for (std::size_t begin = 0; begin < response.size(); begin += piece) {
    auto data = std::as_bytes(std::span(response.substr(begin, piece)));
    while (!data.empty()) {
      const Step step = reader.step(data, answer, head_only);
      if (step != Step::NeedsMore) {
        return begin + piece >= response.size() && data.empty() ? step : Step::BadResponse;
      }
    }
  }
  return Step::NeedsMore;
}

Step read_once(std::string_view response, std::size_t piece = 1000) {
  ResponseReader reader;
  Answer answer = known("hello");
  return read(reader, answer, response, piece);
}

TEST(LoadClientResponse, RightInAnyPieces) {
  for (std::size_t piece = 1; piece <= kRight.size(); ++piece) {
    ResponseReader reader;
    Answer answer = known("hello");
    for (int again = 0; again < 3; ++again) {
      EXPECT_EQ(read(reader, answer, kRight, piece), Step::Done) << piece;
      EXPECT_TRUE(reader.is_between());
      EXPECT_FALSE(reader.closes());
    }
  }
}

TEST(LoadClientResponse, SeveralInOnePiece) {
  ResponseReader reader;
  Answer answer = known("hello");
  const std::string three = std::string(kRight) + std::string(kRight) + std::string(kRight);
  auto data = std::as_bytes(std::span(three));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(reader.step(data, answer, false), Step::Done);
  }
  EXPECT_TRUE(data.empty());
}

TEST(LoadClientResponse, IsBetweenOnlyBetween) {
  ResponseReader reader;
  Answer answer = known("hello");
  EXPECT_TRUE(reader.is_between());
  EXPECT_EQ(read(reader, answer, kRight.substr(0, 10), 10), Step::NeedsMore);
  EXPECT_FALSE(reader.is_between());
  EXPECT_EQ(read(reader, answer, kRight.substr(10, 32), 32), Step::NeedsMore);
  EXPECT_FALSE(reader.is_between());
  reader.reset();
  EXPECT_TRUE(reader.is_between());
}

TEST(LoadClientResponse, WhoCloses) {
  const auto closes = [](std::string_view response) {
    ResponseReader reader;
    Answer answer = known("hello");
    EXPECT_EQ(read(reader, answer, response, 1000), Step::Done);
    return reader.closes();
  };
  EXPECT_TRUE(closes("HTTP/1.1 200 OK\r\nConnection: close\r\ncontent-length:5\r\n\r\nhello"));
  EXPECT_TRUE(closes("HTTP/1.1 200 OK\r\nConnection: x, Close\r\ncontent-length:5\r\n\r\nhello"));
  EXPECT_TRUE(closes("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"));
  EXPECT_FALSE(
      closes("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello"));
  EXPECT_FALSE(closes("HTTP/1.1 200\r\nContent-Length: 5 \r\n\r\nhello"));
}

TEST(LoadClientResponse, BadOnes) {
  for (const std::string_view head :
       {"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/2 200 OK\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 2x0 OK\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 20\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 2000 OK\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\n Content-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length 5\r\n\r\n", "HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 5\r\n\r\n",
        "\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"}) {
    EXPECT_EQ(read_once(head), Step::BadResponse) << head;
    EXPECT_EQ(read_once(head, 1), Step::BadResponse) << head;
  }
}

TEST(LoadClientResponse, AHeadWithoutEnd) {
  const std::string endless = "HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'v');
  EXPECT_EQ(read_once(endless, 1000), Step::BadResponse);
}

TEST(LoadClientResponse, WrongBodies) {
  EXPECT_EQ(read_once("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhellO"), Step::WrongBytes);
  EXPECT_EQ(read_once("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhell"), Step::BadResponse);
  ResponseReader reader;
  Answer answer = known("hello");
  EXPECT_EQ(read(reader, answer, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", 1000),
            Step::WrongBytes);
}

TEST(LoadClientResponse, HeadHasNoBody) {
  ResponseReader reader;
  Answer answer = known("hello");
  const std::string_view head = kRight.substr(0, kRight.size() - 5);
  EXPECT_EQ(read(reader, answer, head, 7, true), Step::Done);
  EXPECT_EQ(read(reader, answer, head, 1000, true), Step::Done);
}

// Two first answers on their way at once: each byte is held against the one that came first.
TEST(LoadClientResponse, LearnsTheFirstAnswer) {
  Answer answer;
  ResponseReader one;
  ResponseReader two;
  EXPECT_EQ(read(one, answer, kRight.substr(0, kRight.size() - 3), 1000), Step::NeedsMore);
  EXPECT_EQ(read(two, answer, kRight, 1000), Step::Done);
  EXPECT_EQ(read(one, answer, "llo", 1), Step::Done);
  EXPECT_EQ(answer.body.size(), 5U);
  EXPECT_EQ(read(one, answer, kRight.substr(0, kRight.size() - 1), 1000), Step::NeedsMore);
  EXPECT_EQ(read(one, answer, "0", 1), Step::WrongBytes);
}

}  // namespace
