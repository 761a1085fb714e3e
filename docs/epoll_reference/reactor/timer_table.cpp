#include "docs/epoll_reference/reactor/timer_table.hpp"

#include <utility>

#include "common/base/check.hpp"

namespace epoll_reference {

TimerTable::TimerTable(std::uint32_t capacity) : heap_(capacity), records_(capacity) {
  due_.reserve(capacity);
  for (std::uint32_t number = capacity; number > 0; --number) {
    records_[number - 1].next_free = std::exchange(first_free_, number - 1);
  }
}

std::optional<TimerHandle> TimerTable::add(std::uint64_t deadline_ns, std::uint64_t interval_ns,
                                           TimerCallback callback) {
  CHECK(bool{callback}, "somebody must be called");
  if (first_free_ == kNone) {
    return std::nullopt;
  }
  const std::uint32_t number = first_free_;
  Record& record = records_[number];
  first_free_ = record.next_free;
  ++size_;
  record.callback = callback;
  record.interval_ns = interval_ns;
  set(number, deadline_ns);
  return TimerHandle{.slot = number, .generation = record.generation};
}

bool TimerTable::cancel(TimerHandle handle) {
  const Record* record = current(handle);
  if (record == nullptr) {
    return false;
  }
  if (record->state == State::Set) {
    heap_.cancel(record->in_heap);
  }
  free(handle.slot);
  return true;
}

bool TimerTable::update(TimerHandle handle, std::uint64_t deadline_ns) {
  const Record* record = current(handle);
  if (record == nullptr) {
    return false;
  }
  if (record->state == State::Set) {
    heap_.update(record->in_heap, deadline_ns);
  } else {
    set(handle.slot, deadline_ns);
  }
  return true;
}

void TimerTable::collect(std::uint64_t now_ns) {
  CHECK(next_due_ == due_.size(), "those collected before have been handed out");
  due_.clear();
  next_due_ = 0;
  while (const auto expired = heap_.pop_expired(now_ns)) {
    const auto number = static_cast<std::uint32_t>(expired->payload);
    Record& record = records_[number];
    record.state = State::Due;
    record.deadline_ns = expired->deadline_ns;
    due_.push_back({.slot = number, .generation = record.generation});
  }
}

std::optional<TimerTable::Due> TimerTable::next(std::uint64_t now_ns) {
  while (next_due_ < due_.size()) {
    const TimerHandle handle = due_[next_due_++];
    const Record* record = current(handle);
    if (record == nullptr || record->state != State::Due) {
      continue;  // cancelled or moved since collect()
    }
    Due due{.callback = record->callback,
            .expiry = {.deadline_ns = record->deadline_ns, .expirations = 1}};
    if (record->interval_ns == 0) {
      free(handle.slot);
    } else {
      const auto step = timers::next_repeat(record->deadline_ns, record->interval_ns, now_ns);
      due.expiry.expirations = step.expirations;
      set(handle.slot, step.next_deadline_ns);
    }
    return due;
  }
  return std::nullopt;
}

// A free record's generation is in no handle yet, so comparing it is enough.
TimerTable::Record* TimerTable::current(TimerHandle handle) {
  if (handle.slot >= records_.size() || records_[handle.slot].generation != handle.generation) {
    return nullptr;
  }
  return &records_[handle.slot];
}

void TimerTable::set(std::uint32_t number, std::uint64_t deadline_ns) {
  const auto in_heap = heap_.add(deadline_ns, number);
  CHECK(in_heap.has_value(), "the heap has a place for each record");
  records_[number].in_heap = *in_heap;
  records_[number].state = State::Set;
}

void TimerTable::free(std::uint32_t number) {
  Record& record = records_[number];
  ++record.generation;
  if (record.generation == 0) {
    record.generation = 1;  // 0 is the default handle's, which names nothing
  }
  record.state = State::Free;
  record.next_free = std::exchange(first_free_, number);
  --size_;
}

}  // namespace epoll_reference
