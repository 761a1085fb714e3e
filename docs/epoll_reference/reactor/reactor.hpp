#pragma once
// A single-threaded reactor on epoll: descriptors, timers and deferred tasks.
//
// One turn, in this order:
//   1. Wait for events, for the next timer, or not at all if a deferred task is waiting. (What was
//      changed since step 4 of the turn before is told to the kernel first.)
//   2. Timers: all that were due when the wait ended, the earliest first.
//   3. I/O: each event goes to its registration's callback.
//   4. Changes: what add(), modify() and remove() have queued is told to the kernel.
//   5. Deferred tasks: those that were there when this step began.
//
// What must hold:
// - No callback is called after remove() or cancel() of what it belongs to, not even when its event
//   or expiry had come already. So a callback may remove any registration, close any descriptor,
//   cancel any timer, its own included, and may destroy the object it is bound to as its last act.
// - No allocation after the constructor, but for the queue of deferred tasks, which keeps its
//   memory.
// - One thread. turn() and run() are not called from callbacks.

#include <sys/epoll.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "common/base/errno.hpp"
#include "common/support/counters.hpp"
#include "common/support/cpu_clock.hpp"
#include "docs/epoll_reference/reactor/callback.hpp"
#include "docs/epoll_reference/reactor/registrations.hpp"
#include "docs/epoll_reference/reactor/timer_table.hpp"
#include "docs/epoll_reference/reactor/waiter.hpp"

namespace epoll_reference {

// Nanoseconds of a clock that is not set back.
using Clock = Delegate<std::uint64_t()>;

struct ReactorCounters {
  std::uint64_t turns = 0;
  std::uint64_t events = 0;  // that the kernel has reported, the stale ones included
  std::uint64_t epoll_ctl_calls = 0;
  std::uint64_t stale_events = 0;    // whose registration had ended within the same batch
  std::uint64_t timers_expired = 0;  // callbacks called; a repeating timer that was late counts one
  std::uint64_t deferred = 0;        // deferred tasks that have run

  static constexpr auto list() {
    return std::to_array<support::Counter<ReactorCounters>>(
        {{"turns", &ReactorCounters::turns},
         {"events", &ReactorCounters::events},
         {"epoll_ctl_calls", &ReactorCounters::epoll_ctl_calls},
         {"stale_events", &ReactorCounters::stale_events},
         {"timers_expired", &ReactorCounters::timers_expired},
         {"deferred", &ReactorCounters::deferred}});
  }
};

class Reactor {
 public:
  struct Options {
    std::uint32_t registrations = 1024;   // at most so many at a time
    std::uint32_t timers = 1024;          // the same
    std::uint32_t events_per_wait = 256;  // the rest comes with the next turn, in the kernel's turn
    Clock clock = Clock::to<&support::now_ns>();
  };

  // EMFILE, ENFILE, ENOMEM.
  [[nodiscard]] static base::Result<Reactor> create(const Options& options);

  // For create()'s sake: not after the first registration or timer, whose owners know its address.
  Reactor(Reactor&&) noexcept = default;
  Reactor& operator=(Reactor&&) = delete;
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;
  ~Reactor() = default;

  // --- descriptors -------------------------------------------------------------------------------
  // Outside of a turn a change is told to the kernel at once. In a turn (from a callback) it is
  // queued, and the last word counts: see step 4; changes by deferred tasks are told before the
  // next wait.

  // Watches `fd` for `events`: EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP, with EPOLLET if wished; 0
  // waits for EPOLLERR and EPOLLHUP alone, which always come. Not EPOLLONESHOT or EPOLLEXCLUSIVE.
  // ENOBUFS: the table is full. What the kernel refuses (ENOSPC: fs.epoll.max_user_watches; ENOMEM;
  // EPERM: files that are always ready, such as regular ones; EBADF) is returned here outside of a
  // turn; in a turn, the callback is called with kNotWatched in step 4 (or before the next wait),
  // and refusal() says why. Either way the registration has ended.
  [[nodiscard]] base::Result<Registration> add(int fd, std::uint32_t events, IoCallback callback);

  // Watches for these events instead. The same events again cost nothing, so call it freely. An
  // event that came in this batch and is not wanted any more is not delivered. False if the
  // registration has ended already.
  // A refusal (the descriptor is closed: EBADF) always calls back with kNotWatched.
  bool modify(Registration registration, std::uint32_t events);

  // Ends the registration; the descriptor may be closed right after it. False if it has ended
  // already: a second call does no harm.
  // If a duplicate of the descriptor stays open (dup(), fork()), close it in a deferred task, after
  // step 4: the kernel keeps watching a file until its last descriptor is closed, and
  // EPOLL_CTL_DEL needs the number it was added by.
  bool remove(Registration registration);

  // The same without a system call, for a descriptor that the caller closes before it returns to
  // the reactor, and that has no duplicate: close() takes it out of the set.
  bool remove_for_close(Registration registration);

  // In a callback that got kNotWatched: why.
  [[nodiscard]] base::Errno refusal() const { return refusal_; }

  [[nodiscard]] std::size_t registrations() const { return registrations_.size(); }

  // --- timers ------------------------------------------------------------------------------------
  // A timer never fires early. It is due at a time of the clock, and one that is due already fires
  // in the next turn's step 2, never in the one that is going on: a timer that sets itself anew
  // with a delay of 0 cannot keep the I/O waiting. Timers with equal deadlines fire in the order in
  // which they were set (or updated).

  // Nothing: the table is full, which is a leak or a limit that is too low.
  [[nodiscard]] std::optional<TimerHandle> at(std::uint64_t deadline_ns, TimerCallback callback);
  [[nodiscard]] std::optional<TimerHandle> after(std::uint64_t delay_ns, TimerCallback callback);

  // Fires at now + interval, now + 2 * interval, ... until it is cancelled, however late each
  // firing is: no drift. Deadlines that were missed meanwhile come as one call that has their
  // number.
  [[nodiscard]] std::optional<TimerHandle> every(std::uint64_t interval_ns, TimerCallback callback);

  // It does not fire any more. False if it has gone already: one that fires once has when its
  // callback is called.
  bool cancel(TimerHandle timer);

  // Moves the deadline (of a repeating timer: the next one, from which it goes on), in O(log n). It
  // does not fire before it. False if the timer has gone already.
  // A connection with an idle timeout need not call this for each message: it can note the time
  // (turn_ns()), and when the timer fires too early by that note, set it anew for the rest.
  bool update(TimerHandle timer, std::uint64_t deadline_ns);

  [[nodiscard]] std::size_t timers() const { return timers_.size(); }

  // --- tasks -------------------------------------------------------------------------------------

  // Runs the task in step 5 of this turn; if that has begun (a task defers a task), or outside of a
  // turn, in the next one, which then does not wait. The object of the task must still be there.
  void defer(Callback<> task);

  // --- running -----------------------------------------------------------------------------------

  // Turns until stop().
  void run();
  // Ends run() after the turn that is going on.
  void stop() { stopped_ = true; }

  static constexpr std::uint64_t kForever = std::numeric_limits<std::uint64_t>::max();
  // One turn, which waits for `max_wait_ns` at most. A signal ends the wait, too.
  void turn(std::uint64_t max_wait_ns = kForever);

  // The clock as it was when this turn's wait ended: free of charge, for whom that is exact enough.
  [[nodiscard]] std::uint64_t turn_ns() const { return turn_ns_; }
  // The clock now.
  [[nodiscard]] std::uint64_t now_ns() const { return clock_(); }

  [[nodiscard]] const ReactorCounters& counters() const { return counters_; }

 private:
  Reactor(base::UniqueFd epoll, const Options& options);

  [[nodiscard]] std::uint64_t wait_ns(std::uint64_t max_wait_ns) const;
  void expire_timers();
  void dispatch(std::size_t count);
  void apply_changes();
  void run_deferred();
  void on_refused(IoCallback callback, base::Errno error);

  Registrations registrations_;
  TimerTable timers_;
  Waiter waiter_;
  std::vector<epoll_event> events_;
  std::vector<Callback<>> deferred_;
  std::vector<Callback<>> running_;  // the tasks of step 5; keeps its memory from turn to turn
  Clock clock_;
  std::uint64_t turn_ns_;
  base::Errno refusal_;
  bool queueing_ = false;  // changes wait for the next apply_changes()
  bool stopped_ = false;
  ReactorCounters counters_;
};

}  // namespace epoll_reference
