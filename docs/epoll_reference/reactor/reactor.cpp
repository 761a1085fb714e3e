#include "docs/epoll_reference/reactor/reactor.hpp"

#include <algorithm>
#include <utility>

#include "common/base/check.hpp"
#include "common/base/unique_fd.hpp"

namespace epoll_reference {
namespace {

std::uint64_t saturating_add(std::uint64_t time_ns, std::uint64_t delay_ns) {
  return time_ns + std::min(delay_ns, Reactor::kForever - time_ns);
}

}  // namespace

base::Result<Reactor> Reactor::create(const Options& options) {
  CHECK(options.events_per_wait > 0);
  base::UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) {
    return base::fail(base::last_error());
  }
  return Reactor(std::move(epoll), options);
}

Reactor::Reactor(base::UniqueFd epoll, const Options& options)
    : registrations_(std::move(epoll), options.registrations),
      timers_(options.timers),
      events_(options.events_per_wait),
      clock_(options.clock),
      turn_ns_(clock_()) {}

base::Result<Registration> Reactor::add(int fd, std::uint32_t events, IoCallback callback) {
  const auto added = registrations_.add(fd, events, callback);
  if (added && !queueing_) {
    const auto told = registrations_.apply_only(*added);
    counters_.epoll_ctl_calls = registrations_.epoll_ctl_calls();
    if (!told) {
      return base::fail(told.error());
    }
  }
  return added;
}

bool Reactor::modify(Registration registration, std::uint32_t events) {
  const bool found = registrations_.modify(registration, events);
  if (!queueing_) {
    apply_changes();
  }
  return found;
}

bool Reactor::remove(Registration registration) {
  const bool found = registrations_.remove(registration);
  if (!queueing_) {
    apply_changes();
  }
  return found;
}

bool Reactor::remove_for_close(Registration registration) {
  return registrations_.remove_for_close(registration);
}

std::optional<TimerHandle> Reactor::at(std::uint64_t deadline_ns, TimerCallback callback) {
  return timers_.add(deadline_ns, 0, callback);
}

std::optional<TimerHandle> Reactor::after(std::uint64_t delay_ns, TimerCallback callback) {
  return timers_.add(saturating_add(now_ns(), delay_ns), 0, callback);
}

std::optional<TimerHandle> Reactor::every(std::uint64_t interval_ns, TimerCallback callback) {
  CHECK(interval_ns > 0);
  return timers_.add(saturating_add(now_ns(), interval_ns), interval_ns, callback);
}

bool Reactor::cancel(TimerHandle timer) {
  return timers_.cancel(timer);
}

bool Reactor::update(TimerHandle timer, std::uint64_t deadline_ns) {
  return timers_.update(timer, deadline_ns);
}

void Reactor::defer(Callback<> task) {
  deferred_.push_back(task);
}

void Reactor::run() {
  stopped_ = false;
  while (!stopped_) {
    turn();
  }
}

// [snippet: reactor_turn]
void Reactor::turn(std::uint64_t max_wait_ns) {
  CHECK(!queueing_, "a callback must not run the reactor");
  queueing_ = true;
  ++counters_.turns;
  apply_changes();
  const std::size_t count = waiter_.wait(registrations_.epoll_fd(), events_, wait_ns(max_wait_ns));
  turn_ns_ = now_ns();
  expire_timers();
  dispatch(count);
  apply_changes();
  run_deferred();
  queueing_ = false;
}
// [/snippet]

// Derived anew each time from the earliest timer: there is no tick.
std::uint64_t Reactor::wait_ns(std::uint64_t max_wait_ns) const {
  if (!deferred_.empty() || registrations_.has_queued()) {
    return 0;
  }
  const auto deadline_ns = timers_.next_deadline();
  if (!deadline_ns || max_wait_ns == 0) {
    return max_wait_ns;
  }
  const std::uint64_t now = now_ns();
  return std::min(max_wait_ns, *deadline_ns > now ? *deadline_ns - now : 0);
}

void Reactor::expire_timers() {
  timers_.collect(turn_ns_);
  while (const auto due = timers_.next(turn_ns_)) {
    ++counters_.timers_expired;
    due->callback(due->expiry);
  }
}

void Reactor::dispatch(std::size_t count) {
  counters_.events += count;
  for (std::size_t i = 0; i < count; ++i) {
    const auto delivery = registrations_.find(events_[i].data.u64, events_[i].events);
    if (!delivery) {
      ++counters_.stale_events;
    } else if (delivery->events != 0) {
      delivery->callback(delivery->events);
    }
  }
}

void Reactor::apply_changes() {
  if (!registrations_.has_queued()) {
    return;
  }
  // Outside of a turn, too, what the callback of a refused one changes has to queue.
  const bool queueing_before = std::exchange(queueing_, true);
  registrations_.apply(Delegate<void(IoCallback, base::Errno)>::to<&Reactor::on_refused>(*this));
  queueing_ = queueing_before;
  counters_.epoll_ctl_calls = registrations_.epoll_ctl_calls();
}

void Reactor::run_deferred() {
  std::swap(deferred_, running_);
  counters_.deferred += running_.size();
  for (const Callback<>& task : running_) {
    task();
  }
  running_.clear();
}

void Reactor::on_refused(IoCallback callback, base::Errno error) {
  refusal_ = error;
  callback(kNotWatched);
}

}  // namespace epoll_reference
