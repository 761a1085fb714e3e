#include "common/timers/timer_heap.hpp"

#include <limits>

#include "common/base/check.hpp"

namespace timers {
namespace {

constexpr std::uint32_t kNoSlot = std::numeric_limits<std::uint32_t>::max();

}  // namespace

TimerHeap::TimerHeap(std::size_t capacity) : slots_(capacity) {
  CHECK(capacity < kNoSlot, "a slot number has 32 bits");
  heap_.reserve(capacity);
  std::uint32_t next = 0;
  for (Slot& slot : slots_) {
    ++next;
    slot = {.payload = 0, .generation = 1, .position = next == capacity ? kNoSlot : next};
  }
  first_free_ = capacity == 0 ? kNoSlot : 0;
}

std::optional<TimerHandle> TimerHeap::add(std::uint64_t deadline_ns, std::uint64_t payload) {
  if (first_free_ == kNoSlot) {
    return std::nullopt;
  }
  const std::uint32_t number = first_free_;
  Slot& slot = slots_[number];
  first_free_ = slot.position;
  slot.payload = payload;

  const Entry entry{.deadline_ns = deadline_ns, .order = next_order_++, .slot = number};
  heap_.push_back(entry);
  sift_up(heap_.size() - 1, entry);
  return TimerHandle{.slot = number, .generation = slot.generation};
}

bool TimerHeap::cancel(TimerHandle handle) {
  if (!is_current(handle)) {
    return false;
  }
  remove(slots_[handle.slot].position);
  return true;
}

bool TimerHeap::update(TimerHandle handle, std::uint64_t deadline_ns) {
  if (!is_current(handle)) {
    return false;
  }
  const Entry entry{.deadline_ns = deadline_ns, .order = next_order_++, .slot = handle.slot};
  settle(slots_[handle.slot].position, entry);
  return true;
}

std::optional<std::uint64_t> TimerHeap::next_deadline() const {
  if (heap_.empty()) {
    return std::nullopt;
  }
  return heap_.front().deadline_ns;
}

std::optional<ExpiredTimer> TimerHeap::pop_expired(std::uint64_t now_ns) {
  if (heap_.empty() || heap_.front().deadline_ns > now_ns) {
    return std::nullopt;
  }
  const Entry& earliest = heap_.front();
  const ExpiredTimer expired{.payload = slots_[earliest.slot].payload,
                             .deadline_ns = earliest.deadline_ns};
  remove(0);
  return expired;
}

bool TimerHeap::before(const Entry& left, const Entry& right) {
  if (left.deadline_ns != right.deadline_ns) {
    return left.deadline_ns < right.deadline_ns;
  }
  return left.order < right.order;
}

// A free slot's generation is in no handle yet, so comparing it is enough: no "in use" flag.
bool TimerHeap::is_current(TimerHandle handle) const {
  return handle.slot < slots_.size() && slots_[handle.slot].generation == handle.generation;
}

void TimerHeap::place(std::size_t position, const Entry& entry) {
  heap_[position] = entry;
  slots_[entry.slot].position = static_cast<std::uint32_t>(position);
}

// Both sifts move a hole at `position` to where `entry` belongs, and put it there.
void TimerHeap::sift_up(std::size_t position, Entry entry) {
  while (position > 0) {
    const std::size_t parent = (position - 1) / 2;
    if (!before(entry, heap_[parent])) {
      break;
    }
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, entry);
}

void TimerHeap::sift_down(std::size_t position, Entry entry) {
  while (true) {
    std::size_t child = 2 * position + 1;
    if (child >= heap_.size()) {
      break;
    }
    if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child])) {
      ++child;
    }
    if (!before(heap_[child], entry)) {
      break;
    }
    place(position, heap_[child]);
    position = child;
  }
  place(position, entry);
}

void TimerHeap::settle(std::size_t position, const Entry& entry) {
  if (position > 0 && before(entry, heap_[(position - 1) / 2])) {
    sift_up(position, entry);
  } else {
    sift_down(position, entry);
  }
}

void TimerHeap::remove(std::size_t position) {
  const std::uint32_t number = heap_[position].slot;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (position < heap_.size()) {
    settle(position, last);  // the last entry fills the hole; it may have to go either way
  }
  Slot& slot = slots_[number];
  ++slot.generation;
  if (slot.generation == 0) {
    slot.generation = 1;  // 0 is the default handle's, which names nothing
  }
  slot.position = first_free_;
  first_free_ = number;
}

RepeatStep next_repeat(std::uint64_t deadline_ns, std::uint64_t interval_ns, std::uint64_t now_ns) {
  CHECK(interval_ns > 0);
  CHECK(deadline_ns <= now_ns, "a timer that has not expired has no next deadline yet");
  constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t late_ns = now_ns - deadline_ns;
  const std::uint64_t to_next_ns = interval_ns - late_ns % interval_ns;
  return {.next_deadline_ns = now_ns > kNever - to_next_ns ? kNever : now_ns + to_next_ns,
          .expirations = late_ns / interval_ns + 1};
}

}  // namespace timers
