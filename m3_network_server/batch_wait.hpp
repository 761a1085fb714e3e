#pragma once
// How long to wait for more, where one system call can bring the bytes of many clients.
//
// A server that is a little faster than its clients wakes up for each few of them, and the more it
// is ahead, the fewer they are: it pays with system calls for its speed. So where many clients are
// busy it waits for a part of them. What that may cost them is bounded by what they wait anyway:
//
//   round   the time in which each of the busy clients has said something once
//   wait    for 1/32 of these clients, at most 1/32 of the round, and never longer than a limit
//
// Clients that wait for their answer before they speak again then are slower by 3 % at most. Where
// clients speak on their own account there is no such bound, and so there is no wait where a turn
// before which there was none brings few of them: where the server has time to spare, nobody waits
// for the sake of its calls.
//
// Pure: the time is given, nothing is waited for here.

#include <cstdint>

namespace network_server {

class BatchWait {
 public:
  // Of arrivals; none of them: do not wait.
  struct Plan {
    std::uint32_t arrivals = 0;
    std::uint32_t at_most_us = 0;

    [[nodiscard]] bool operator==(const Plan&) const = default;
  };

  // `limit_us` is the longest wait; 0: never.
  explicit BatchWait(std::uint32_t limit_us) : limit_us_(limit_us) {}

  // One client's bytes have come. `mark` is that client's, at first anything, and ours to change.
  void note_arrival(std::uint8_t& mark) {
    ++arrivals_;
    if (mark != period_) {
      mark = period_;
      ++talkers_;
    }
  }

  // At the end of each turn: what its wait should be, with so many clients.
  [[nodiscard]] Plan end_turn(std::uint64_t now_ns, std::uint32_t connections);

 private:
  // Of the period that ends now.
  [[nodiscard]] Plan plan(std::uint64_t time_ns, std::uint32_t busy) const;
  void begin_period(std::uint64_t now_ns);

  std::uint32_t limit_us_;
  // A period in which to count. Who speaks in it is known by a mark with its number.
  std::uint8_t period_ = 1;
  std::uint64_t begun_ns_ = 0;
  std::uint32_t turns_ = 0;
  std::uint32_t arrivals_ = 0;
  std::uint32_t talkers_ = 0;  // different clients
  Plan plan_;                  // as the period before has it
  // Only a period without waits tells whether turns bring many: what a wait has collected would say so
  // for ever.
  std::uint32_t waiting_periods_left_ = 0;
};

}  // namespace network_server
