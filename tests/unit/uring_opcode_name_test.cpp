#include <set>
#include <string>

#include <gtest/gtest.h>

#include "common/uring/opcode_name.hpp"
#include "common/uring/uapi.hpp"

namespace {

TEST(OpcodeName, IsTheKernelsNameWithoutItsPrefix) {
  EXPECT_STREQ(uring::opcode_name(uring::IORING_OP_NOP), "NOP");
  EXPECT_STREQ(uring::opcode_name(uring::IORING_OP_READ_FIXED), "READ_FIXED");
  EXPECT_STREQ(uring::opcode_name(uring::IORING_OP_URING_CMD128), "URING_CMD128");
}

TEST(OpcodeName, EachOpcodeHasItsOwn) {
  std::set<std::string> names;
  for (int opcode = 0; opcode < uring::IORING_OP_LAST; ++opcode) {
    const char* name = uring::opcode_name(static_cast<std::uint8_t>(opcode));
    ASSERT_NE(name, nullptr) << opcode;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
}

TEST(OpcodeName, NumbersThatAreNoOpcodeHaveNone) {
  for (int opcode = uring::IORING_OP_LAST; opcode < 256; ++opcode) {
    EXPECT_EQ(uring::opcode_name(static_cast<std::uint8_t>(opcode)), nullptr) << opcode;
  }
}

}  // namespace
