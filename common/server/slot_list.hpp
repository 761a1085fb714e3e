#pragma once
// Connections that wait for something, first come first served. A connection is in one such list at
// a time, and can leave from the middle.

#include <cstdint>

#include "common/base/check.hpp"

namespace server {

inline constexpr std::uint32_t kNoSlot = 0xffff'ffff;

struct SlotLink {
  std::uint32_t previous = kNoSlot;
  std::uint32_t next = kNoSlot;
  bool linked = false;
};

// `LinkOf` gives the link of a slot: SlotLink& (std::uint32_t).
class SlotList {
 public:
  [[nodiscard]] bool empty() const { return first_ == kNoSlot; }
  [[nodiscard]] std::uint32_t first() const { return first_; }

  template <class LinkOf>
  void push_back(std::uint32_t slot, LinkOf&& link_of) {
    SlotLink& link = link_of(slot);
    CHECK(!link.linked, "in one list at a time");
    link = {.previous = last_, .next = kNoSlot, .linked = true};
    (last_ == kNoSlot ? first_ : link_of(last_).next) = slot;
    last_ = slot;
  }

  template <class LinkOf>
  void remove(std::uint32_t slot, LinkOf&& link_of) {
    SlotLink& link = link_of(slot);
    CHECK(link.linked);
    (link.previous == kNoSlot ? first_ : link_of(link.previous).next) = link.next;
    (link.next == kNoSlot ? last_ : link_of(link.next).previous) = link.previous;
    link = {};
  }

 private:
  std::uint32_t first_ = kNoSlot;
  std::uint32_t last_ = kNoSlot;
};

}  // namespace server
