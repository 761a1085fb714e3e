#include "common/loop/slot_pool.hpp"

#include "common/base/check.hpp"

namespace loop {

SlotPool::SlotPool(std::uint32_t capacity) : slots_(capacity) {
  CHECK(capacity <= kMaxSlots, "an OpId has 24 bits for the slot");
  for (std::uint32_t i = 0; i < capacity; ++i) {
    slots_[i].next_free = i + 1;
  }
}

std::optional<std::uint32_t> SlotPool::acquire() {
  if (first_free_ == capacity()) {
    return std::nullopt;
  }
  const std::uint32_t slot = first_free_;
  first_free_ = slots_[slot].next_free;
  slots_[slot].state = State::Open;
  ++in_use_;
  return slot;
}

bool SlotPool::close(std::uint32_t slot) {
  CHECK(slots_[slot].state != State::Free, "a slot in use");
  slots_[slot].state = State::Closing;
  if (slots_[slot].ops > 0) {
    return false;
  }
  recycle(slot);
  return true;
}

void SlotPool::begin_op(std::uint32_t slot) {
  // A closing slot may still arm: its cancel and its close are operations, too.
  CHECK(slots_[slot].state != State::Free, "a slot in use");
  ++slots_[slot].ops;
}

bool SlotPool::end_op(std::uint32_t slot) {
  CHECK(slots_[slot].ops > 0, "an operation ends once");
  if (--slots_[slot].ops > 0 || slots_[slot].state != State::Closing) {
    return false;
  }
  recycle(slot);
  return true;
}

bool SlotPool::matches(const OpId& id) const {
  return id.slot < slots_.size() && slots_[id.slot].state != State::Free &&
         slots_[id.slot].generation == id.generation;
}

OpId SlotPool::id(std::uint32_t slot, std::uint8_t kind, std::uint16_t aux) const {
  return {.kind = kind, .generation = slots_[slot].generation, .aux = aux, .slot = slot};
}

bool SlotPool::is_open(std::uint32_t slot) const {
  return slots_[slot].state == State::Open;
}

std::uint32_t SlotPool::ops_in_flight(std::uint32_t slot) const {
  return slots_[slot].ops;
}

void SlotPool::recycle(std::uint32_t slot) {
  Slot& freed = slots_[slot];
  ++freed.generation;
  freed.state = State::Free;
  freed.next_free = first_free_;
  first_free_ = slot;
  --in_use_;
}

}  // namespace loop
