#pragma once
// Holds an answer against the file that was asked for, in whatever pieces it comes. It shares
// nothing with common/http: the two would be wrong together.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace file_server::serve_bench {

struct ExpectedAnswer {
  std::span<const std::byte> content;
  bool closes = false;         // must the head say so, or must it not?
  bool compare_bytes = false;  // the length is looked at always
};

class ResponseCheck {
 public:
  enum class State : std::uint8_t { More, Done, Wrong };

  // `expected.content` must stay where it is.
  void begin(const ExpectedAnswer& expected);

  // What comes after Done is Wrong.
  [[nodiscard]] State take(std::span<const std::byte> received);

  // After Wrong: a part of a sentence.
  [[nodiscard]] const char* problem() const { return problem_; }

 private:
  State take_head(std::span<const std::byte>& received);
  State check_head(std::string_view head);
  State take_body(std::span<const std::byte> received);
  State wrong(const char* problem);

  ExpectedAnswer expected_;
  std::string head_;  // keeps its memory
  bool in_body_ = false;
  std::size_t body_read_ = 0;
  const char* problem_ = "";
};

}  // namespace file_server::serve_bench
