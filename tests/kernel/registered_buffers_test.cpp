// Registered buffers: what the table takes, what an operation may name, and what -EFAULT means.

#include "common/uring/registered_buffers.hpp"

#include <unistd.h>

#include <cstring>
#include <numeric>

#include "common/base/unique_fd.hpp"
#include "tests/kernel/kernel_test.hpp"
#include "tests/kernel/test_files.hpp"

namespace {

class RegisteredBuffers : public testing::Test {
 protected:
  std::int32_t read_fixed(std::span<std::byte> into, std::uint16_t index) {
    return kernel_test::run_one(ring_,
                                [&](uring::io_uring_sqe& sqe) {
                                  uring::prep_read_fixed(sqe, file_.get(), into, 0, index);
                                })
        .res;
  }

  static iovec as_iovec(std::span<std::byte> bytes) { return {bytes.data(), bytes.size()}; }

  uring::Ring ring_ = kernel_test::make_ring();
  base::UniqueFd file_ = kernel_test::make_file("0123456789");
  std::vector<std::byte> memory_ = std::vector<std::byte>(64 * 1024);
};

TEST_F(RegisteredBuffers, NeedNoAlignment) {
  const std::span<std::byte> odd = std::span(memory_).subspan(4097, 999);
  const std::array table{as_iovec(odd)};
  const auto registered = uring::RegisteredBuffers::create(ring_, table);
  ASSERT_TRUE(registered.has_value());
  EXPECT_EQ(read_fixed(odd.subspan(1, 10), 0), 10) << "any part of it will do";
  EXPECT_EQ(std::memcmp(&odd[1], "0123456789", 10), 0);
}

TEST_F(RegisteredBuffers, RangeAndIndexAreChecked) {
  const std::span<std::byte> registered_part = std::span(memory_).first(100);
  const std::array table{as_iovec(registered_part)};
  const auto registered = uring::RegisteredBuffers::create(ring_, table);
  ASSERT_TRUE(registered.has_value());
  EXPECT_EQ(read_fixed(std::span(memory_).subspan(95, 10), 0), -EFAULT) << "beyond its end";
  EXPECT_EQ(read_fixed(registered_part.first(10), 1), -EFAULT) << "no such slot";
}

TEST_F(RegisteredBuffers, OneTablePerRing) {
  const std::array table{as_iovec(memory_)};
  {
    const auto first = uring::RegisteredBuffers::create(ring_, table);
    ASSERT_TRUE(first.has_value());
    const auto second = uring::RegisteredBuffers::create(ring_, table);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().value, EBUSY);
  }
  EXPECT_TRUE(uring::RegisteredBuffers::create(ring_, table).has_value())
      << "the destructor unregistered";
}

TEST_F(RegisteredBuffers, SparseSlotsAreFilledAndReplaced) {
  NEEDS_FEATURE(SparseBuffers);
  auto registered = uring::RegisteredBuffers::create_sparse(ring_, 2);
  ASSERT_TRUE(registered.has_value());
  const std::span<std::byte> first = std::span(memory_).first(100);
  const std::span<std::byte> second = std::span(memory_).subspan(200, 100);
  EXPECT_EQ(read_fixed(first.first(10), 1), -EFAULT) << "an empty slot";

  ASSERT_TRUE(registered->update(1, as_iovec(first)).has_value());
  EXPECT_EQ(read_fixed(first.first(10), 1), 10);
  ASSERT_TRUE(registered->update(1, as_iovec(second)).has_value());
  EXPECT_EQ(read_fixed(first.first(10), 1), -EFAULT) << "it has been replaced";
  EXPECT_EQ(read_fixed(second.first(10), 1), 10);
  ASSERT_TRUE(registered->update(1, iovec{}).has_value());
  EXPECT_EQ(read_fixed(second.first(10), 1), -EFAULT) << "it has been cleared";
  EXPECT_EQ(registered->update(2, as_iovec(first)).error().value, EINVAL) << "out of range";
}

TEST_F(RegisteredBuffers, AreWrittenFromToo) {
  const std::array table{as_iovec(memory_)};
  const auto registered = uring::RegisteredBuffers::create(ring_, table);
  ASSERT_TRUE(registered.has_value());
  std::memcpy(memory_.data(), "fixed", 5);
  const auto cqe = kernel_test::run_one(ring_, [&](uring::io_uring_sqe& sqe) {
    uring::prep_write_fixed(sqe, file_.get(), std::span(memory_).first(5), 3, 0);
  });
  EXPECT_EQ(cqe.res, 5);
  std::array<char, 10> content{};
  ASSERT_EQ(::pread(file_.get(), content.data(), 10, 0), 10);
  EXPECT_EQ(std::string_view(content.data(), 10), "012fixed89");
}

}  // namespace
