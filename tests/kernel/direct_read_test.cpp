// O_DIRECT: a READ of whole units of the device, past the page cache.

#include <fcntl.h>
#include <sys/stat.h>

#include <bit>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

#include "tests/kernel/disk_folder.hpp"
#include "tests/kernel/steps.hpp"

namespace {

constexpr std::size_t kPage = 4096;

// What the file system says its unit of offsets is (STATX_DIOALIGN, Linux 6.1).
std::optional<std::uint32_t> unit_of(int fd) {
#if defined(STATX_DIOALIGN)
  struct statx status {};
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &status) == 0 &&
      (status.stx_mask & STATX_DIOALIGN) != 0) {
    return status.stx_dio_offset_align;
  }
#endif
  static_cast<void>(fd);
  return std::nullopt;
}

class DirectRead : public testing::Test {
 protected:
  void SetUp() override {
    // A page, and ten bytes: the end lies in the middle of a unit.
    const base::UniqueFd written = folder_.make("file", std::string(kPage + 10, 'x'));
    file_.reset(::open(folder_.path_of("file").c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
    if (!file_.valid() || !kernel_test::is_disk_file_system(file_.get())) {
      GTEST_SKIP() << "this program lies on a filesystem without O_DIRECT";
    }
  }

  std::int32_t read(std::uint64_t offset, std::size_t size) {
    return kernel_test::run_one(ring_,
                                [&](uring::io_uring_sqe& sqe) {
                                  uring::prep_read(sqe, file_.get(), std::span(memory_.get(), size),
                                                   offset);
                                })
        .res;
  }

  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };

  uring::Ring ring_ = kernel_test::make_ring();
  kernel_test::DiskFolder folder_;
  base::UniqueFd file_;
  std::unique_ptr<std::byte[], Free> memory_{
      static_cast<std::byte*>(std::aligned_alloc(kPage, 2 * kPage))};
};

TEST_F(DirectRead, OfWholeUnitsIsDone) {
  EXPECT_EQ(read(0, kPage), static_cast<std::int32_t>(kPage));
}

TEST_F(DirectRead, OfPartsOfAUnitIsEinval) {
  EXPECT_EQ(read(0, 10), -EINVAL) << "the length";
  EXPECT_EQ(read(10, kPage), -EINVAL) << "the offset";
}

TEST_F(DirectRead, IsShortAtAnUnalignedEndAndZeroBehindIt) {
  EXPECT_EQ(read(kPage, kPage), 10);
  EXPECT_EQ(read(2 * kPage, kPage), 0);
}

TEST_F(DirectRead, StatxTellsTheUnit) {
  const auto unit = unit_of(file_.get());
  if (!unit) {
    GTEST_SKIP() << "this kernel's statx does not tell it (Linux 6.1)";
  }
  ASSERT_TRUE(std::has_single_bit(*unit));
  ASSERT_LE(*unit, kPage);
  EXPECT_EQ(read(*unit, *unit), static_cast<std::int32_t>(*unit));
}

}  // namespace
