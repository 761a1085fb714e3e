// SQPOLL works without privileges and without registered files since Linux 5.13: a process that is
// nobody reads a file through it.

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "common/base/unique_fd.hpp"
#include "common/uring/denied.hpp"
#include "tests/kernel/kernel_test.hpp"

namespace {

// Runs in a child that has given up all its rights. Returns its exit status: 0, or an errno.
int read_as_nobody() {
  constexpr uid_t kNobody = 65534;
  if (::geteuid() == 0 && (::setresgid(kNobody, kNobody, kNobody) != 0 ||
                           ::setresuid(kNobody, kNobody, kNobody) != 0)) {
    return base::last_error().value;
  }
  const auto features = uring::Features::detect();
  if (!features) {
    return features.error().value;
  }
  auto ring =
      uring::Ring::create({.sq_entries = 4, .setup_flags = uring::IORING_SETUP_SQPOLL}, *features);
  if (!ring) {
    return ring.error().value;
  }
  if ((ring->setup_flags() & uring::IORING_SETUP_SQPOLL) == 0) {
    return ENOTSUP;
  }
  const base::UniqueFd zeros(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  std::array<std::byte, 16> bytes;
  bytes.fill(std::byte{0xff});
  const auto cqe = kernel_test::run_one(
      *ring, [&](uring::io_uring_sqe& sqe) { uring::prep_read(sqe, zeros.get(), bytes, 0); });
  if (cqe.res < 0) {
    return -cqe.res;
  }
  return cqe.res == 16 && bytes.back() == std::byte{0} ? 0 : EIO;
}

TEST(SqpollUnprivileged, ReadsAFileThatIsNotRegistered) {
  NEEDS_FEATURE(Sqpoll);
  if (uring::read_setup_surroundings().io_uring_disabled.value_or(0) != 0) {
    GTEST_SKIP() << "kernel.io_uring_disabled denies io_uring to the unprivileged here";
  }
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::_exit(read_as_nobody());
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0) << base::Errno{WEXITSTATUS(status)}.name();
}

}  // namespace
