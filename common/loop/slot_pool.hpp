#pragma once
// The life of slots: which are in use, how many operations each has in flight, and when one may be
// used again. What a slot holds (a connection, a transfer) lies in an array of the application's,
// under the same index.
//
// What must hold:
//  - Every armed operation is counted by begin_op() and ends once, on its CQE without F_MORE.
//  - A slot is recycled only when it is closing and its count is 0. Until then the kernel may still
//    write to its memory.
//  - Recycling advances the generation, so that an OpId from the slot's earlier life is recognised.
//    Ownership should make such a completion impossible; the generation detects that it did not.

#include <cstdint>
#include <optional>
#include <vector>

#include "common/loop/op_id.hpp"

namespace loop {

class SlotPool {
 public:
  // A fixed number of slots, at most kMaxSlots. No allocation after this.
  explicit SlotPool(std::uint32_t capacity);

  // A free slot, open, with no operation in flight. Nothing when all are in use: a state to wait
  // in (stop accepting), not an error.
  [[nodiscard]] std::optional<std::uint32_t> acquire();

  // From now on the slot only waits for its operations to end. True if it was recycled at once,
  // because none was in flight. Closing twice changes nothing.
  bool close(std::uint32_t slot);

  void begin_op(std::uint32_t slot);
  // True if that was the last operation of a closing slot: it is recycled, and free.
  bool end_op(std::uint32_t slot);

  // Whether this operation belongs to the slot's present life.
  [[nodiscard]] bool matches(const OpId& id) const;

  [[nodiscard]] OpId id(std::uint32_t slot, std::uint8_t kind, std::uint16_t aux = 0) const;
  [[nodiscard]] bool is_open(std::uint32_t slot) const;
  [[nodiscard]] std::uint32_t ops_in_flight(std::uint32_t slot) const;
  [[nodiscard]] std::uint32_t in_use() const { return in_use_; }
  [[nodiscard]] std::uint32_t capacity() const { return static_cast<std::uint32_t>(slots_.size()); }

 private:
  enum class State : std::uint8_t { Free, Open, Closing };
  struct Slot {
    std::uint32_t next_free = 0;
    std::uint32_t ops = 0;
    std::uint16_t generation = 0;
    State state = State::Free;
  };

  void recycle(std::uint32_t slot);

  std::vector<Slot> slots_;
  std::uint32_t first_free_ = 0;
  std::uint32_t in_use_ = 0;
};

}  // namespace loop
