#pragma once
// Reads past a request's body, so that it is never mistaken for the next request. It looks at each
// byte once and keeps none: what it consumed may be dropped at once.
//
// The grammar of chunks is that of RFC 9112 (section 7.1), and no more: hexadecimal digits, an
// extension only right behind them, CRLF. Bare CR and bare LF are refused everywhere, in extensions
// too, where readers that skip to the next LF have been fooled. Extensions and trailers together
// may be as long as a head.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/http/limits.hpp"
#include "common/http/request.hpp"
#include "common/http/status.hpp"

namespace http {

enum class SkipState : std::uint8_t { More, Done, Error };

struct Skipped {
  SkipState state;
  std::size_t consumed;  // bytes of this call's input that belong to the body
};

class BodySkipper {
 public:
  // Done from the start: no body.
  BodySkipper() = default;
  BodySkipper(const Request& request, const Limits& limits);

  // `bytes`: what follows the bytes consumed by the calls before. More: all of it was consumed.
  Skipped skip(std::string_view bytes);

  [[nodiscard]] bool done() const { return state_ == State::Done; }
  // After Error: 400 or 413. The connection cannot go on.
  [[nodiscard]] Status error() const { return error_; }

 private:
  enum class State : std::uint8_t {
    Content,  // of a Content-Length
    FirstSizeDigit,
    SizeDigits,
    Extension,
    SizeLf,
    ChunkContent,
    ChunkCr,
    ChunkLf,
    TrailerBegin,
    TrailerName,
    TrailerValue,
    TrailerLf,
    LastLf,
    Done,
    Error,
  };

  State step(char byte);
  State take_size_digit(char byte);
  State end_of_size();
  State take_extra(State next);
  State refuse(Status status);

  State state_ = State::Done;
  Status error_ = Status::BadRequest;
  std::uint64_t left_ = 0;        // of the content or chunk that is being read
  std::uint64_t may_follow_ = 0;  // content that the limit still allows
  std::size_t extra_left_ = 0;    // bytes of extensions and trailers that the limit still allows
  unsigned size_digits_ = 0;
};

}  // namespace http
