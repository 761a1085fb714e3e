// Reading files: short reads, the end, offsets, and what the kernel copies at submission.

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <memory>
#include <string_view>

#include "common/base/unique_fd.hpp"
#include "tests/kernel/kernel_test.hpp"
#include "tests/kernel/test_files.hpp"

namespace {

class FileRead : public testing::Test {
 protected:
  uring::io_uring_cqe read(std::uint64_t offset) {
    return kernel_test::run_one(ring_, [&](uring::io_uring_sqe& sqe) {
      uring::prep_read(sqe, file_.get(), buffer_, offset);
    });
  }
  [[nodiscard]] std::string_view text(std::size_t size) const {
    return kernel_test::as_text(std::span(buffer_).first(size));
  }

  uring::Ring ring_ = kernel_test::make_ring();
  base::UniqueFd file_ = kernel_test::make_file("0123456789");
  std::array<std::byte, 8> buffer_{};
};

TEST_F(FileRead, IsShortAtTheEndAndZeroBehindIt) {
  EXPECT_EQ(read(0).res, 8);
  EXPECT_EQ(read(8).res, 2);
  EXPECT_EQ(text(2), "89");
  EXPECT_EQ(read(10).res, 0);
  EXPECT_EQ(read(1000).res, 0);
}

TEST_F(FileRead, AnOffsetLeavesTheFilePositionAlone) {
  ASSERT_EQ(::lseek(file_.get(), 3, SEEK_SET), 3);
  EXPECT_EQ(read(5).res, 5);
  EXPECT_EQ(text(5), "56789");
  EXPECT_EQ(::lseek(file_.get(), 0, SEEK_CUR), 3);
}

TEST_F(FileRead, OffsetMinusOneUsesAndMovesIt) {
  ASSERT_EQ(::lseek(file_.get(), 3, SEEK_SET), 3);
  EXPECT_EQ(read(~std::uint64_t{0}).res, 7);
  EXPECT_EQ(text(7), "3456789");
  EXPECT_EQ(::lseek(file_.get(), 0, SEEK_CUR), 10);
}

// The kernel tries a read without blocking first, where the filesystem can do that (FMODE_NOWAIT).
// ext4, XFS and btrfs can; on a tmpfs every read goes to a worker thread, however hot its pages are.
TEST_F(FileRead, OfCachedPagesIsDoneWhenEnterReturns) {
  file_.reset(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  struct statfs where {};
  ASSERT_EQ(::fstatfs(file_.get(), &where), 0);
  const auto magic = static_cast<std::uint64_t>(where.f_type);
  if (magic != EXT4_SUPER_MAGIC && magic != XFS_SUPER_MAGIC && magic != BTRFS_SUPER_MAGIC) {
    GTEST_SKIP() << "this program lies on a filesystem that may not read without blocking";
  }
  ASSERT_EQ(::pread(file_.get(), buffer_.data(), buffer_.size(), 0), 8);  // cached from here on
  uring::prep_read(*ring_.next_sqe(), file_.get(), buffer_, 0);
  ASSERT_EQ(ring_.submit().value_or(0), 1U);
  EXPECT_EQ(ring_.cq().ready(), 1U) << "submitted without waiting, and complete already";
}

TEST(SubmitStable, WhatAnSqePointsToMayGoAfterTheSubmit) {
  NEEDS_FEATURE(SubmitStable);
  uring::Ring ring = kernel_test::make_ring();
  auto time = std::make_unique<__kernel_timespec>(uring::to_timespec(1'000'000));
  uring::prep_timeout(*ring.next_sqe(), time.get(), 0, 0);
  ASSERT_TRUE(ring.submit().has_value());
  *time = uring::to_timespec(3'600'000'000'000);
  time.reset();
  EXPECT_EQ(kernel_test::collect(ring, 1).front().res, -ETIME) << "after the first value's time";
}

}  // namespace
