#pragma once
// What the 64 bits of user_data say: which kind of operation this is, and which slot it belongs to.
//
//    63    56 55            40 39       24 23              0
//   [  kind  |   generation   |    aux    |      slot       ]
//
// Never a pointer: a completion that comes after its object was freed would be a use after free,
// and nothing could detect it. Never a bare file descriptor: the kernel reuses the number at once.

#include <cstdint>

namespace loop {

struct OpId {
  std::uint8_t kind = 0;         // 0 is invalid: a forgotten user_data shows
  std::uint16_t generation = 0;  // of the slot, when the operation was armed
  std::uint16_t aux = 0;         // the application's own: a buffer id, a sequence number
  std::uint32_t slot = 0;        // 24 bits

  friend bool operator==(const OpId&, const OpId&) = default;
};

inline constexpr std::uint32_t kMaxSlots = 1U << 24;

// Kinds from here up belong to the loop; 0xff is the ring's (Ring::kInternalUserData).
inline constexpr std::uint8_t kFirstLoopKind = 0xf0;

[[nodiscard]] constexpr std::uint64_t pack(const OpId& id) {
  return std::uint64_t{id.kind} << 56 | std::uint64_t{id.generation} << 40 |
         std::uint64_t{id.aux} << 24 | (id.slot & (kMaxSlots - 1));
}

[[nodiscard]] constexpr OpId unpack(std::uint64_t user_data) {
  return {.kind = static_cast<std::uint8_t>(user_data >> 56),
          .generation = static_cast<std::uint16_t>(user_data >> 40),
          .aux = static_cast<std::uint16_t>(user_data >> 24),
          .slot = static_cast<std::uint32_t>(user_data) & (kMaxSlots - 1)};
}

}  // namespace loop
