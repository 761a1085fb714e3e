// What is spliced from a file into a pipe are the pages of the file and no copy: what happens to the
// file afterwards comes out of the pipe. READ has copied.

#include <unistd.h>

#include <string>

#include "tests/kernel/disk_folder.hpp"
#include "tests/kernel/pipe_ends.hpp"
#include "tests/kernel/steps.hpp"
#include "tests/kernel/test_files.hpp"

namespace {

class SplicedPages : public testing::Test {
 protected:
  void SetUp() override {
    if (!kernel_test::is_disk_file_system(folder_.fd())) {
      GTEST_SKIP() << "this program does not lie on ext4, XFS or btrfs";
    }
  }

  void splice(std::uint32_t size) {
    const auto cqe = kernel_test::run_one(ring_, [&](uring::io_uring_sqe& sqe) {
      uring::prep_splice(sqe, file_.get(), 0, pipe_.write_end.get(), uring::kNoOffset, size, 0);
    });
    ASSERT_EQ(cqe.res, static_cast<std::int32_t>(size));
  }
  std::string from_pipe(std::size_t size) {
    std::string bytes(size, '?');
    const ssize_t got = ::read(pipe_.read_end.get(), bytes.data(), size);
    CHECK(got >= 0);
    bytes.resize(static_cast<std::size_t>(got));
    return bytes;
  }

  uring::Ring ring_ = kernel_test::make_ring();
  kernel_test::DiskFolder folder_;
  base::UniqueFd file_ = folder_.make("file", "old old old");
  kernel_test::PipeEnds pipe_;
};

TEST_F(SplicedPages, ShowWhatIsWrittenToTheFileAfterwards) {
  splice(11);
  ASSERT_EQ(::pwrite(file_.get(), "new", 3, 4), 3);
  EXPECT_EQ(from_pipe(11), "old new old");
}

TEST_F(SplicedPages, ShowZerosWhereTheFileHasBeenCutOff) {
  splice(11);
  ASSERT_EQ(::ftruncate(file_.get(), 4), 0);
  EXPECT_EQ(from_pipe(11), std::string("old \0\0\0\0\0\0\0", 11));
}

TEST_F(SplicedPages, AReadHasCopied) {
  std::array<std::byte, 11> buffer{};
  const auto cqe = kernel_test::run_one(
      ring_, [&](uring::io_uring_sqe& sqe) { uring::prep_read(sqe, file_.get(), buffer, 0); });
  ASSERT_EQ(cqe.res, 11);
  ASSERT_EQ(::pwrite(file_.get(), "new", 3, 4), 3);
  ASSERT_EQ(::ftruncate(file_.get(), 4), 0);
  EXPECT_EQ(kernel_test::as_text(buffer), "old old old");
}

}  // namespace
