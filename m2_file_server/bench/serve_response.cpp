#include "m2_file_server/bench/serve_response.hpp"

#include <strings.h>

#include <algorithm>
#include <cstring>

namespace file_server::serve_bench {
namespace {

constexpr std::size_t kLongestHead = 4 << 10;
constexpr std::string_view kEndOfLine = "\r\n";
constexpr std::string_view kEndOfHead = "\r\n\r\n";

// The value of a field's line, if the line is that field's; else a view without data.
std::string_view value_of(std::string_view line, std::string_view name) {
  const bool is_it = line.size() > name.size() && line[name.size()] == ':' &&
                     ::strncasecmp(line.data(), name.data(), name.size()) == 0;
  if (!is_it) {
    return {};
  }
  const std::string_view value = line.substr(name.size() + 1);
  return value.substr(std::min(value.find_first_not_of(' '), value.size()));
}

}  // namespace

void ResponseCheck::begin(const ExpectedAnswer& expected) {
  expected_ = expected;
  head_.clear();
  in_body_ = false;
  body_read_ = 0;
}

ResponseCheck::State ResponseCheck::take(std::span<const std::byte> received) {
  if (!in_body_) {
    if (const State state = take_head(received); state == State::Wrong || !in_body_) {
      return state;
    }
  }
  return take_body(received);
}

// Leaves in `received` what follows the head.
ResponseCheck::State ResponseCheck::take_head(std::span<const std::byte>& received) {
  const std::size_t before = head_.size();
  const std::size_t size = std::min(received.size(), kLongestHead - before);
  head_.append(reinterpret_cast<const char*>(received.data()), size);
  const std::size_t overlap = std::min(before, kEndOfHead.size() - 1);
  const std::size_t end = head_.find(kEndOfHead, before - overlap);
  if (end == std::string::npos) {
    return head_.size() == kLongestHead ? wrong("the head does not end") : State::More;
  }
  in_body_ = true;
  received = received.subspan(end + kEndOfHead.size() - before);
  return check_head(std::string_view(head_).substr(0, end + kEndOfLine.size()));
}

ResponseCheck::State ResponseCheck::check_head(std::string_view head) {
  if (!head.starts_with("HTTP/1.1 200 ")) {
    return wrong("the status is not 200");
  }
  std::size_t lengths = 0;
  bool says_close = false;
  const std::string length = std::to_string(expected_.content.size());
  while (!head.empty()) {
    const std::size_t end = head.find(kEndOfLine);
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(end + kEndOfLine.size());
    if (const std::string_view value = value_of(line, "Content-Length"); value.data() != nullptr) {
      ++lengths;
      if (value != length) {
        return wrong("the Content-Length is not that of the file");
      }
    }
    says_close = says_close || value_of(line, "Connection") == "close";
  }
  if (lengths != 1) {
    return wrong("there is not one Content-Length");
  }
  if (says_close != expected_.closes) {
    return wrong(expected_.closes ? "the answer to 'Connection: close' does not say the same"
                                  : "it ends a connection that was to go on");
  }
  return State::More;
}

ResponseCheck::State ResponseCheck::take_body(std::span<const std::byte> received) {
  if (received.size() > expected_.content.size() - body_read_) {
    return wrong("more bytes come than the file has");
  }
  if (expected_.compare_bytes && !received.empty() &&
      std::memcmp(received.data(), expected_.content.data() + body_read_, received.size()) != 0) {
    return wrong("the bytes are not those of the file");
  }
  body_read_ += received.size();
  return body_read_ == expected_.content.size() ? State::Done : State::More;
}

ResponseCheck::State ResponseCheck::wrong(const char* problem) {
  problem_ = problem;
  return State::Wrong;
}

}  // namespace file_server::serve_bench
