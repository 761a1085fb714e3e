// What user_data says: every field comes back, and each lies where the picture in op_id.hpp says.

#include <cstdint>
#include <random>

#include <gtest/gtest.h>

#include "common/loop/op_id.hpp"
#include "common/uring/ring.hpp"

namespace {

using loop::OpId;
using loop::pack;
using loop::unpack;

constexpr OpId kExample{.kind = 0xab, .generation = 0x1234, .aux = 0x5678, .slot = 0x9a'bcde};
static_assert(pack(kExample) == 0xab12'3456'789a'bcde);
static_assert(unpack(0xab12'3456'789a'bcde) == kExample);
static_assert(unpack(0).kind == 0, "a forgotten user_data has the invalid kind");

// Each field at its largest, alone: it fills its own bits and no others.
static_assert(pack({.kind = 0xff}) == 0xff00'0000'0000'0000);
static_assert(pack({.generation = 0xffff}) == 0x00ff'ff00'0000'0000);
static_assert(pack({.aux = 0xffff}) == 0x0000'00ff'ff00'0000);
static_assert(pack({.slot = loop::kMaxSlots - 1}) == 0x0000'0000'00ff'ffff);

static_assert(pack({.slot = loop::kMaxSlots}) == 0, "a slot out of range touches no other field");

TEST(OpId, RandomIdsComeBack) {
  std::mt19937_64 random(20250711);
  for (int i = 0; i < 100'000; ++i) {
    const OpId id{.kind = static_cast<std::uint8_t>(random()),
                  .generation = static_cast<std::uint16_t>(random()),
                  .aux = static_cast<std::uint16_t>(random()),
                  .slot = static_cast<std::uint32_t>(random()) % loop::kMaxSlots};
    ASSERT_EQ(unpack(pack(id)), id);
    const std::uint64_t bits = random();
    ASSERT_EQ(pack(unpack(bits)), bits);
  }
}

// The ring keeps the values from kInternalUserData up for itself and swallows their completions: no
// kind of an application or of the loop may come near them.
TEST(OpId, NoKindBelowTheRingsOwnIsSwallowed) {
  EXPECT_EQ(unpack(uring::Ring::kInternalUserData).kind, 0xff);
  const OpId largest{.kind = 0xfe, .generation = 0xffff, .aux = 0xffff, .slot = 0xff'ffff};
  EXPECT_LT(pack(largest), uring::Ring::kInternalUserData);
  EXPECT_LT(loop::kFirstLoopKind, 0xfe);
}

}  // namespace
