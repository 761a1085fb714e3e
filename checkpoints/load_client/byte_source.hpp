#pragma once
// What is sent, laid out in memory once: an endless stream of bytes with a period. A send points
// into it, so nothing is copied or made per message, and what an echo brings back is compared with
// the same bytes.
//
// For echo it is a pattern, and each connection's stream begins somewhere else in it. For HTTP it
// is the requests for all paths in turn.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace load_client {

class ByteSource {
 public:
  // `period` is not empty. at() gives up to `longest` bytes in one piece.
  ByteSource(std::span<const std::byte> period, std::size_t longest);

  // The bytes from `position` of the stream on: `size` of them, or fewer (but at least `longest`)
  // if they do not lie in one piece.
  [[nodiscard]] std::span<const std::byte> at(std::uint64_t position, std::uint64_t size) const {
    const std::size_t begin = position % period_;
    const std::uint64_t in_one_piece = memory_.size() - begin;
    return std::span(memory_).subspan(begin, std::min(size, in_one_piece));
  }

  [[nodiscard]] std::size_t period() const { return period_; }

 private:
  std::size_t period_;
  std::vector<std::byte> memory_;  // the period, and its beginning again
};

// The pattern for echo. Its period is a prime number of bytes, so that a piece of the usual sizes
// (powers of two, multiples of a message) that is lost, doubled or moved shifts the rest onto other
// bytes.
[[nodiscard]] ByteSource make_pattern(std::uint64_t seed);

// Where in the pattern the stream of a connection begins. Another one for each of its lives, so
// that bytes of an earlier life are noticed too.
[[nodiscard]] std::uint64_t stream_begin(std::uint64_t seed, std::uint32_t connection,
                                         std::uint64_t life);

}  // namespace load_client
