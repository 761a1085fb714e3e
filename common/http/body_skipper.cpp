#include "common/http/body_skipper.hpp"

#include <algorithm>

#include "common/http/characters.hpp"

namespace http {

BodySkipper::BodySkipper(const Request& request, const Limits& limits)
    : may_follow_(limits.max_body_bytes), extra_left_(limits.max_head_bytes) {
  if (request.chunked) {
    state_ = State::FirstSizeDigit;
  } else if (request.has_body()) {
    state_ = State::Content;  // the parser has held its length to the limit
    left_ = *request.content_length;
  }
}

Skipped BodySkipper::skip(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size() && state_ != State::Done && state_ != State::Error) {
    if (state_ != State::Content && state_ != State::ChunkContent) {
      state_ = step(bytes[at++]);
      continue;
    }
    const std::uint64_t taken = std::min<std::uint64_t>(left_, bytes.size() - at);
    at += static_cast<std::size_t>(taken);
    left_ -= taken;
    if (left_ == 0) {
      state_ = state_ == State::Content ? State::Done : State::ChunkCr;
    }
  }
  if (state_ == State::Error) {
    return {.state = SkipState::Error, .consumed = at};
  }
  return {.state = done() ? SkipState::Done : SkipState::More, .consumed = at};
}

BodySkipper::State BodySkipper::step(char byte) {
  switch (state_) {
    case State::FirstSizeDigit:
      size_digits_ = 0;
      return take_size_digit(byte);
    case State::SizeDigits:
      if (byte == ';') {
        return take_extra(State::Extension);
      }
      return byte == '\r' ? State::SizeLf : take_size_digit(byte);
    case State::Extension:
      if (byte == '\r') {
        return State::SizeLf;
      }
      return is(kFieldByte, byte) ? take_extra(State::Extension) : refuse(Status::BadRequest);
    case State::SizeLf:
      return byte == '\n' ? end_of_size() : refuse(Status::BadRequest);
    case State::ChunkCr:
      return byte == '\r' ? State::ChunkLf : refuse(Status::BadRequest);
    case State::ChunkLf:
      return byte == '\n' ? State::FirstSizeDigit : refuse(Status::BadRequest);
    case State::TrailerBegin:
      if (byte == '\r') {
        return State::LastLf;
      }
      return is(kTokenByte, byte) ? take_extra(State::TrailerName) : refuse(Status::BadRequest);
    case State::TrailerName:
      if (byte == ':') {
        return take_extra(State::TrailerValue);
      }
      return is(kTokenByte, byte) ? take_extra(State::TrailerName) : refuse(Status::BadRequest);
    case State::TrailerValue:
      if (byte == '\r') {
        return State::TrailerLf;
      }
      return is(kFieldByte, byte) ? take_extra(State::TrailerValue) : refuse(Status::BadRequest);
    case State::TrailerLf:
      return byte == '\n' ? take_extra(State::TrailerBegin) : refuse(Status::BadRequest);
    case State::LastLf:
      return byte == '\n' ? State::Done : refuse(Status::BadRequest);
    case State::Content:
    case State::ChunkContent:
    case State::Done:
    case State::Error:
      break;  // skip() sees to these
  }
  __builtin_unreachable();
}

// left_ is 0 before the first digit: all of the chunk before has been read. Sixteen digits cannot
// overflow it, and nobody writes more.
BodySkipper::State BodySkipper::take_size_digit(char byte) {
  constexpr unsigned kMostDigits = 16;
  constexpr unsigned kBitsPerDigit = 4;
  const int value = hex_value(byte);
  if (value < 0 || ++size_digits_ > kMostDigits) {
    return refuse(Status::BadRequest);
  }
  left_ = (left_ << kBitsPerDigit) | static_cast<unsigned>(value);
  return State::SizeDigits;
}

BodySkipper::State BodySkipper::end_of_size() {
  if (left_ == 0) {
    return State::TrailerBegin;
  }
  if (left_ > may_follow_) {
    return refuse(Status::ContentTooLarge);
  }
  may_follow_ -= left_;
  return State::ChunkContent;
}

// One more byte that is neither content nor the frame of a chunk.
BodySkipper::State BodySkipper::take_extra(State next) {
  if (extra_left_ == 0) {
    return refuse(Status::ContentTooLarge);
  }
  --extra_left_;
  return next;
}

BodySkipper::State BodySkipper::refuse(Status status) {
  error_ = status;
  return State::Error;
}

}  // namespace http
