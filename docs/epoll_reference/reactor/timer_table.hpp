#pragma once
// Timers with callbacks, one-shot and repeating, on the heap of common/timers. Reads no clock.
//
// Expiring happens in two steps, so that callbacks can change other timers: collect() takes all
// that are due off the heap, then next() hands them out one by one. A timer that is cancelled or
// moved in between is not handed out; one that is set in between has to wait for the next
// collect().

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "common/timers/timer_heap.hpp"
#include "docs/epoll_reference/reactor/callback.hpp"

namespace epoll_reference {

using timers::TimerHandle;

struct Expiry {
  std::uint64_t deadline_ns;  // when it was due; of a repeating timer: the earliest one missed
  std::uint64_t
      expirations;  // 1; of a repeating timer that is late, how many deadlines have passed
};

using TimerCallback = Callback<Expiry>;

class TimerTable {
 public:
  explicit TimerTable(std::uint32_t capacity);

  // `interval_ns` 0: fires once. Nothing if the table is full.
  [[nodiscard]] std::optional<TimerHandle> add(std::uint64_t deadline_ns, std::uint64_t interval_ns,
                                               TimerCallback callback);
  bool cancel(TimerHandle handle);
  bool update(TimerHandle handle, std::uint64_t deadline_ns);

  [[nodiscard]] std::optional<std::uint64_t> next_deadline() const { return heap_.next_deadline(); }

  // Takes all that are due off the heap, in order.
  void collect(std::uint64_t now_ns);

  struct Due {
    TimerCallback callback;
    Expiry expiry;
  };
  // The next of those. Its handle is stale if it fires once; a repeating one is set again already,
  // after `now_ns`, the time that collect() was given.
  [[nodiscard]] std::optional<Due> next(std::uint64_t now_ns);

  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  enum class State : std::uint8_t { Free, Set, Due };
  struct Record {
    TimerCallback callback;
    std::uint64_t interval_ns = 0;
    std::uint64_t deadline_ns = 0;  // while it is due
    TimerHandle in_heap;            // while it is set
    std::uint32_t generation = 1;
    std::uint32_t next_free = 0;
    State state = State::Free;
  };
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  [[nodiscard]] Record* current(TimerHandle handle);
  void set(std::uint32_t number, std::uint64_t deadline_ns);
  void free(std::uint32_t number);

  timers::TimerHeap heap_;  // the payload is the record's number
  std::vector<Record> records_;
  std::vector<TimerHandle> due_;
  std::size_t next_due_ = 0;
  std::uint32_t first_free_ = kNone;
  std::size_t size_ = 0;
};

}  // namespace epoll_reference
