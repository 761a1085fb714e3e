#include "m3_network_server/batch_wait.hpp"

#include <algorithm>

namespace network_server {
namespace {

constexpr std::uint32_t kPart = 32;           // of the clients, and of their round
constexpr std::uint32_t kFewestArrivals = 4;  // to wait for; and in a turn
// A period ends when its clients have spoken twice, as a rule, and are many; or else after some time.
constexpr std::uint32_t kFewestInPeriod = 2 * kPart * kFewestArrivals;
constexpr std::uint64_t kLongestPeriodNs = 20'000'000;
// So many periods with waits, then one without.
constexpr std::uint32_t kWaitingPeriods = 7;

}  // namespace

BatchWait::Plan BatchWait::end_turn(std::uint64_t now_ns, std::uint32_t connections) {
  ++turns_;
  const std::uint64_t time_ns = now_ns - begun_ns_;
  const bool spoke_twice = arrivals_ >= std::max(2 * talkers_, kFewestInPeriod);
  if (spoke_twice || time_ns >= kLongestPeriodNs) {
    if (waiting_periods_left_ > 0) {
      --waiting_periods_left_;
    } else if (arrivals_ / turns_ >= kFewestArrivals) {
      waiting_periods_left_ = kWaitingPeriods;
    }
    plan_ = waiting_periods_left_ > 0 ? plan(time_ns, std::min(talkers_, connections)) : Plan{};
    begin_period(now_ns);
  }
  return plan_;
}

// [snippet: batch_plan]
BatchWait::Plan BatchWait::plan(std::uint64_t time_ns, std::uint32_t busy) const {
  if (busy / kPart < kFewestArrivals) {
    return {};
  }
  const std::uint64_t round_us = time_ns * busy / arrivals_ / 1000;
  const std::uint64_t at_most_us = std::min<std::uint64_t>(round_us / kPart, limit_us_);
  if (at_most_us == 0) {
    return {};
  }
  return {.arrivals = busy / kPart, .at_most_us = static_cast<std::uint32_t>(at_most_us)};
}
// [/snippet]

void BatchWait::begin_period(std::uint64_t now_ns) {
  ++period_;
  begun_ns_ = now_ns;
  turns_ = 0;
  arrivals_ = 0;
  talkers_ = 0;
}

}  // namespace network_server
