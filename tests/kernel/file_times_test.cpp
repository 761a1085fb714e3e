// A file that is written to after somebody has asked for its times gets another time, however soon
// that is. So who has read a file, and has seen its times before, sees by them that it has changed.

#include <sys/stat.h>
#include <unistd.h>

#include "tests/kernel/disk_folder.hpp"
#include "tests/kernel/kernel_test.hpp"

namespace {

// Changes one byte, and not the size.
timespec time_after_write(int fd) {
  CHECK(::pwrite(fd, "x", 1, 0) == 1);
  struct stat status {};
  CHECK(::fstat(fd, &status) == 0);
  return status.st_mtim;
}

TEST(FileTimes, ChangeWithEachWriteThatFollowsALook) {
  NEEDS_LINUX(6, 13, "times move on with the timer's tick, so writes in between look the same");
  const kernel_test::DiskFolder folder;
  if (!kernel_test::is_disk_file_system(folder.fd())) {
    GTEST_SKIP() << "this program does not lie on ext4, XFS or btrfs";
  }
  const base::UniqueFd file = folder.make("file", "0123456789");
  constexpr int kWritesWithinATick = 100;  // a tick is 1 to 10 ms
  timespec last = time_after_write(file.get());
  for (int i = 0; i < kWritesWithinATick; ++i) {
    const timespec now = time_after_write(file.get());
    EXPECT_TRUE(now.tv_sec != last.tv_sec || now.tv_nsec != last.tv_nsec) << "write " << i;
    last = now;
  }
}

}  // namespace
