// READV and WRITEV name memory of their own, and work on a ring that has registered buffers too.

#include <string_view>

#include "common/uring/registered_buffers.hpp"
#include "tests/kernel/kernel_test.hpp"
#include "tests/kernel/test_files.hpp"

namespace {

class VectoredTransfer : public testing::Test {
 protected:
  std::int32_t run(uring::io_uring_op opcode, std::span<const iovec> parts, std::uint64_t offset) {
    return kernel_test::run_one(ring_,
                                [&](uring::io_uring_sqe& sqe) {
                                  uring::prep_transfer(sqe, opcode, file_.get(), parts.data(),
                                                       parts.size(), offset);
                                })
        .res;
  }

  uring::Ring ring_ = kernel_test::make_ring();
  base::UniqueFd file_ = kernel_test::make_file("0123456789");
  std::array<std::byte, 64> registered_memory_{};
};

TEST_F(VectoredTransfer, WorksBesideRegisteredBuffers) {
  const std::array table{iovec{registered_memory_.data(), registered_memory_.size()}};
  const auto registered = uring::RegisteredBuffers::create(ring_, table);
  ASSERT_TRUE(registered.has_value());

  std::array<std::byte, 3> first{};
  std::array<std::byte, 4> second{};
  const std::array parts{iovec{first.data(), first.size()}, iovec{second.data(), second.size()}};
  EXPECT_EQ(run(uring::IORING_OP_READV, parts, 1), 7);
  EXPECT_EQ(kernel_test::as_text(first), "123");
  EXPECT_EQ(kernel_test::as_text(second), "4567");

  EXPECT_EQ(run(uring::IORING_OP_WRITEV, parts, 0), 7);
  EXPECT_EQ(run(uring::IORING_OP_READV, parts, 0), 7);
  EXPECT_EQ(kernel_test::as_text(first), "123") << "what WRITEV put at the start of the file";
  EXPECT_EQ(kernel_test::as_text(second), "4567");
}

}  // namespace
