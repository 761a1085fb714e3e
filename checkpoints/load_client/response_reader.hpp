#pragma once
// Reads the responses of one connection, in whatever pieces they come, and holds each against the
// answer that is expected. It is strict where a browser is lenient, because it judges a server: 200
// and nothing else, CR LF at the end of each line, exactly one meaning for Content-Length, no other
// framing.
//
// It shares nothing with common/http: the two would be wrong together.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "checkpoints/load_client/http_answers.hpp"

namespace load_client {

class ResponseReader {
 public:
  enum class Step : std::uint8_t {
    NeedsMore,
    Done,         // one response is complete and right; `data` begins with the next one
    BadResponse,  // not what HTTP allows, or not what we asked for: see problem()
    WrongBytes,   // another body than expected
  };

  // Takes from the front of `data` what belongs to the response for `answer`. What is not known of
  // the answer yet is learnt from it. `head_only`: it was asked for by HEAD, so no body follows.
  [[nodiscard]] Step step(std::span<const std::byte>& data, Answer& answer, bool head_only);

  // For a connection's next life.
  void reset();

  // Nothing of a response has come since the last one was complete.
  [[nodiscard]] bool is_between() const { return !in_body_ && (head_.empty() || head_is_spent_); }
  // After Done: the server ends the connection with this response.
  [[nodiscard]] bool closes() const { return closes_; }
  // After BadResponse or WrongBytes: a part of a sentence.
  [[nodiscard]] const char* problem() const { return problem_; }

 private:
  // The head with its empty line, or an empty view if its end has not come.
  [[nodiscard]] std::string_view take_head(std::span<const std::byte>& data);
  [[nodiscard]] Step read_head(std::string_view head, Answer& answer, bool head_only);
  [[nodiscard]] Step read_body(std::span<const std::byte>& data, Answer& answer);
  [[nodiscard]] Step bad(const char* problem);

  std::string head_;  // of one that came in pieces; keeps its memory
  std::uint64_t body_size_ = 0;
  std::uint64_t body_read_ = 0;
  bool in_body_ = false;
  bool head_is_spent_ = false;  // head_ was handed out, and is to be emptied
  bool closes_ = false;
  const char* problem_ = "";
};

}  // namespace load_client
