#include <array>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "common/base/check.hpp"
#include "docs/epoll_reference/bench/contenders.hpp"
#include "docs/epoll_reference/reactor/reactor.hpp"

namespace epoll_reference {
namespace {

constexpr std::uint32_t kTimers = 10'000;
constexpr double kBar_ns = 1000;
constexpr std::uint64_t kHour_ns = 3'600'000'000'000;

// Random delays are made before the clock runs: making one costs more than a step of the heap.
class ManyTimers {
 public:
  static base::Result<std::shared_ptr<ManyTimers>> create() {
    auto reactor = Reactor::create({.registrations = 1, .timers = kTimers + 1});
    if (!reactor) {
      return base::fail(reactor.error());
    }
    return std::make_shared<ManyTimers>(std::move(*reactor));
  }

  explicit ManyTimers(Reactor reactor)
      : reactor_(std::move(reactor)), start_ns_(reactor_.now_ns()) {
    std::mt19937_64 random(1);
    for (std::uint64_t& delay_ns : delays_ns_) {
      delay_ns = random() % kHour_ns;
    }
    for (std::uint32_t i = 0; i < kTimers; ++i) {
      handles_.push_back(set(i));
    }
  }

  void insert_and_cancel(std::uint64_t operations) {
    for (std::uint64_t i = 0; i < operations; ++i) {
      CHECK(reactor_.cancel(set(i)));
    }
  }

  // Each in turn gets the latest deadline of all.
  void move_to_the_end(std::uint64_t operations) {
    for (std::uint64_t i = 0; i < operations; ++i) {
      latest_ns_ += 1000;
      CHECK(reactor_.update(handles_[next_], latest_ns_));
      next_ = next_ + 1 == kTimers ? 0 : next_ + 1;
    }
  }

 private:
  static void never(Expiry /*expiry*/) {}

  TimerHandle set(std::uint64_t i) {
    const auto timer = reactor_.at(start_ns_ + kHour_ns + delays_ns_[i % delays_ns_.size()],
                                   TimerCallback::to<&ManyTimers::never>());
    CHECK(timer.has_value());
    return *timer;
  }

  Reactor reactor_;
  std::uint64_t start_ns_;
  std::uint64_t latest_ns_ = start_ns_ + 2 * kHour_ns;
  std::array<std::uint64_t, 4096> delays_ns_{};
  std::vector<TimerHandle> handles_;
  std::size_t next_ = 0;
};

}  // namespace

base::Result<Contender> timer_insert_and_cancel() {
  const auto timers = ManyTimers::create();
  if (!timers) {
    return base::fail(timers.error());
  }
  return Contender{.name = "timer set and cancelled, beside 10,000",
                   .run = [timers = *timers](
                              std::uint64_t operations) { timers->insert_and_cancel(operations); },
                   .bar_ns = kBar_ns};
}

base::Result<Contender> timer_update() {
  const auto timers = ManyTimers::create();
  if (!timers) {
    return base::fail(timers.error());
  }
  return Contender{
      .name = "timer moved to the end, one of 10,000",
      .run = [timers = *timers](std::uint64_t operations) { timers->move_to_the_end(operations); }};
}

}  // namespace epoll_reference
