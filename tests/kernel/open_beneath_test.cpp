// OPENAT2 with RESOLVE_BENEATH: no path leads out of the folder that it starts from.

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tests/kernel/disk_folder.hpp"
#include "tests/kernel/loop_test.hpp"
#include "tests/kernel/steps.hpp"

namespace {

using namespace loop_test;

class OpenBeneath : public LoopTest {
 protected:
  std::int32_t open(uring::Ring& ring, const char* path) {
    const open_how how{.flags = O_RDONLY | O_CLOEXEC, .mode = 0, .resolve = RESOLVE_BENEATH};
    const std::int32_t res = kernel_test::run_one(ring, [&](uring::io_uring_sqe& sqe) {
                               uring::prep_openat2(sqe, folder_.fd(), path, &how, sizeof how);
                             }).res;
    const base::UniqueFd opened(res);
    return opened.valid() ? 0 : res;
  }
  void link(const char* name, const char* target) {
    ASSERT_EQ(::symlinkat(target, folder_.fd(), name), 0);
  }

  kernel_test::DiskFolder folder_;
  base::UniqueFd file_ = folder_.make("file", "x");
};
INSTANTIATE_TEST_SUITE_P(On, OpenBeneath, all_ring_kinds(), name_of);

TEST_P(OpenBeneath, RefusesEveryWayOut) {
  uring::Ring ring = make_ring(4);
  EXPECT_EQ(open(ring, ".."), -EXDEV);
  EXPECT_EQ(open(ring, "../file"), -EXDEV);
  EXPECT_EQ(open(ring, "/proc/version"), -EXDEV) << "an absolute path";
  link("up", "..");
  EXPECT_EQ(open(ring, "up"), -EXDEV);
  link("absolute", "/proc/version");
  EXPECT_EQ(open(ring, "absolute"), -EXDEV);
  const std::string home = folder_.path_of("file");
  link("back", home.c_str());
  EXPECT_EQ(open(ring, "back"), -EXDEV) << "absolute, though it leads back into the folder";
}

TEST_P(OpenBeneath, FollowsALinkThatStaysInside) {
  uring::Ring ring = make_ring(4);
  EXPECT_EQ(open(ring, "file"), 0);
  link("inside", "file");
  EXPECT_EQ(open(ring, "inside"), 0);
  ASSERT_EQ(::mkdirat(folder_.fd(), "sub", 0700), 0);
  link("sub/up", "../file");
  EXPECT_EQ(open(ring, "sub/up"), 0) << "up, but not out";
}

}  // namespace
