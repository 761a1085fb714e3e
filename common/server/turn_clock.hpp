#pragma once
// One time for all that happens in a turn of the loop, read only in turns in which somebody asks.

#include <algorithm>
#include <cstdint>

#include "common/support/cpu_clock.hpp"

namespace server {

class TurnClock {
 public:
  // CLOCK_MONOTONIC, of when it was asked for first in this turn.
  [[nodiscard]] std::uint64_t now_ns(std::uint64_t turn) {
    if (turn != turn_) {
      turn_ = turn;
      now_ns_ = support::now_ns();
    }
    return now_ns_;
  }

  // A timer of this turn was due at `ns`, so that time is over: also if the loop's clock, which
  // said so, was read a moment after ours. Without this the timer would seem to be early for ever.
  void advance_to(std::uint64_t turn, std::uint64_t ns) { now_ns_ = std::max(now_ns(turn), ns); }

 private:
  static constexpr std::uint64_t kNoTurn = ~std::uint64_t{0};

  std::uint64_t turn_ = kNoTurn;
  std::uint64_t now_ns_ = 0;
};

}  // namespace server
