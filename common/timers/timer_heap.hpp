#pragma once
// Deadlines in a binary min-heap: which timer is due next, in O(1); add, cancel and move one in
// O(log n). It reads no clock and makes no system call: its owner asks next_deadline(), sleeps that
// long in whatever way it has (io_uring_enter, epoll_wait), then pops what has expired.
//
// What must hold:
// - The memory is reserved by the constructor and never grows. A full heap refuses a timer: how
// many
//   timers a program has is bounded by its own limits (two per connection, say), so a refusal shows
//   a leak, and growing would only hide it.
// - A handle is good until its timer has been popped or cancelled. Then it is stale, and stays so
//   when its slot is used again (until the slot's generation has gone round 2^32 times).
// - Timers with equal deadlines expire in the order in which they were added.
// One owner thread. The unit is nanoseconds of the owner's clock, whichever that is.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace timers {

// Names one timer. The default one names none, ever.
struct TimerHandle {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;

  friend bool operator==(TimerHandle, TimerHandle) = default;
};

struct ExpiredTimer {
  std::uint64_t payload;
  std::uint64_t deadline_ns;  // when it was due: a repeating timer counts on from here
};

class TimerHeap {
 public:
  explicit TimerHeap(std::size_t capacity);

  // Nothing if the heap is full. `payload` is the owner's, and comes back from pop_expired().
  [[nodiscard]] std::optional<TimerHandle> add(std::uint64_t deadline_ns, std::uint64_t payload);

  // False if the handle is stale: the timer has already gone, by expiry or cancel.
  bool cancel(TimerHandle handle);

  // Moves the timer; the handle stays good. Among equal deadlines it now counts as the newest.
  // False if the handle is stale.
  bool update(TimerHandle handle, std::uint64_t deadline_ns);

  // Nothing if there is no timer. May lie in the past: then something is due.
  [[nodiscard]] std::optional<std::uint64_t> next_deadline() const;

  // Takes out the earliest timer whose deadline is `now_ns` or before; nothing if there is none.
  // A loop over it ends only if its body adds no timers that are due already.
  [[nodiscard]] std::optional<ExpiredTimer> pop_expired(std::uint64_t now_ns);

  [[nodiscard]] std::size_t size() const { return heap_.size(); }
  [[nodiscard]] std::size_t capacity() const { return slots_.size(); }

 private:
  struct Entry {
    std::uint64_t deadline_ns;
    std::uint64_t order;  // counts additions: breaks ties
    std::uint32_t slot;
  };
  struct Slot {
    std::uint64_t payload;
    std::uint32_t generation;
    std::uint32_t position;  // in use: its index in heap_; free: the next free slot
  };

  static bool before(const Entry& left, const Entry& right);
  [[nodiscard]] bool is_current(TimerHandle handle) const;
  void place(std::size_t position, const Entry& entry);
  void sift_up(std::size_t position, Entry entry);
  void sift_down(std::size_t position, Entry entry);
  void settle(std::size_t position, const Entry& entry);
  void remove(std::size_t position);

  std::vector<Entry> heap_;
  std::vector<Slot> slots_;
  std::uint32_t first_free_ = 0;
  std::uint64_t next_order_ = 0;
};

// A repeating timer that does not drift: its deadlines are first + interval, first + 2 * interval
// ... however late each was noticed.
struct RepeatStep {
  std::uint64_t next_deadline_ns;  // on the timer's own grid, and after `now`
  std::uint64_t expirations;       // how many deadlines have passed: 1, or more if we came late
};

// The catch-up rule is timerfd's: deadlines missed meanwhile come as one expiry with a count. An
// owner that must run once for each runs `expirations` times; one that only wants to be on time
// ignores the count. `interval_ns` is at least 1, `deadline_ns` (from ExpiredTimer) not after now.
[[nodiscard]] RepeatStep next_repeat(std::uint64_t deadline_ns, std::uint64_t interval_ns,
                                     std::uint64_t now_ns);

}  // namespace timers
