// What was copied out of the shared buffers.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "m3_network_server/spill.hpp"

namespace {

using network_server::Spill;

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::string rest(const Spill& spill) {
  const std::span<const std::byte> left = spill.rest();
  return {reinterpret_cast<const char*>(left.data()), left.size()};
}

}  // namespace

TEST(NetworkSpill, ComesOutInTheOrderInWhichItWentIn) {
  const std::unique_ptr<Spill> spill = Spill::make(9);
  ASSERT_NE(spill, nullptr);
  EXPECT_EQ(rest(*spill), "");
  spill->append(bytes("abc"));
  spill->append(bytes(""));
  spill->append(bytes("defghi"));
  EXPECT_EQ(rest(*spill), "abcdefghi");
  const std::byte* place = spill->rest().data();
  spill->consume(0);
  spill->consume(4);
  EXPECT_EQ(rest(*spill), "efghi");
  EXPECT_EQ(spill->rest().data(), place + 4) << "the kernel may be reading it";
  spill->consume(5);
  EXPECT_EQ(rest(*spill), "");
}

TEST(NetworkSpillDeathTest, HoldsNoMoreThanItHasRoomFor) {
  const std::unique_ptr<Spill> spill = Spill::make(3);
  spill->append(bytes("ab"));
  EXPECT_DEATH(spill->append(bytes("cd")), "CHECK");
  EXPECT_DEATH(spill->consume(3), "no more is sent than there was");
}

TEST(NetworkSpill, WithoutMemoryThereIsNone) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer ends the program instead";
#endif
  EXPECT_EQ(Spill::make(std::size_t{1} << 62), nullptr);
}
