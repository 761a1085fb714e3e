// Which requests the kernel gives to a worker thread, and which it does in the submitting system call.

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/kernel/disk_folder.hpp"
#include "tests/kernel/test_files.hpp"
#include "tests/kernel/worker_threads.hpp"

namespace {

struct Outcome {
  std::int32_t res = 0;
  bool by_worker = false;
};

// Runs the request on a ring of a thread of its own.
template <class Prepare>
Outcome run_in_new_thread(Prepare prepare) {
  Outcome outcome;
  outcome.by_worker = kernel_test::makes_a_worker(
      [&](uring::Ring& ring) { outcome.res = kernel_test::run_one(ring, prepare).res; });
  return outcome;
}

void prep_statx(uring::io_uring_sqe& sqe, int fd, struct statx& into) {
  sqe.opcode = uring::IORING_OP_STATX;
  sqe.fd = fd;
  sqe.addr = uring::user_address("");
  sqe.statx_flags = AT_EMPTY_PATH;
  sqe.len = STATX_BASIC_STATS;
  sqe.addr2 = uring::user_address(&into);
}

class Worker : public testing::Test {
 protected:
  void SetUp() override {
    if (!kernel_test::workers_are_threads_of_the_process()) {
      GTEST_SKIP() << "this kernel's workers are no threads of the process";
    }
    if (!kernel_test::is_disk_file_system(folder_.fd())) {
      GTEST_SKIP() << "this program lies on a filesystem that may not work without blocking";
    }
  }

  Outcome open(const char* name) {
    return run_in_new_thread([&](uring::io_uring_sqe& sqe) {
      uring::prep_openat2(sqe, folder_.fd(), name, &how_, sizeof how_);
    });
  }

  kernel_test::DiskFolder folder_;
  base::UniqueFd file_ = folder_.make("file", "0123456789");
  open_how how_{.flags = O_RDONLY | O_CLOEXEC, .mode = 0, .resolve = RESOLVE_BENEATH};
};

TEST_F(Worker, DoesEverySplice) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC | O_NONBLOCK), 0);
  const base::UniqueFd read_end(pipe[0]);
  const base::UniqueFd write_end(pipe[1]);
  const Outcome spliced = run_in_new_thread([&](uring::io_uring_sqe& sqe) {
    uring::prep_splice(sqe, file_.get(), 0, write_end.get(), uring::kNoOffset, 10, 0);
  });
  EXPECT_EQ(spliced.res, 10);
  EXPECT_TRUE(spliced.by_worker);
}

TEST_F(Worker, DoesEveryStatx) {
  struct statx status {};
  const Outcome looked =
      run_in_new_thread([&](uring::io_uring_sqe& sqe) { prep_statx(sqe, file_.get(), status); });
  EXPECT_EQ(looked.res, 0);
  EXPECT_EQ(status.stx_size, 10U);
  EXPECT_TRUE(looked.by_worker);
}

TEST_F(Worker, DoesEveryShutdown) {
  const kernel_test::SocketPair sockets;
  const Outcome shut = run_in_new_thread(
      [&](uring::io_uring_sqe& sqe) { uring::prep_shutdown(sqe, sockets.near.get(), SHUT_RDWR); });
  EXPECT_EQ(shut.res, 0);
  EXPECT_TRUE(shut.by_worker);
}

TEST_F(Worker, DoesNoReadOfCachedPages) {
  std::array<std::byte, 10> buffer{};
  const Outcome read = run_in_new_thread(
      [&](uring::io_uring_sqe& sqe) { uring::prep_read(sqe, file_.get(), buffer, 0); });
  EXPECT_EQ(read.res, 10);
  EXPECT_FALSE(read.by_worker);
}

TEST_F(Worker, OpensNoFileWhoseNameIsCached) {
  NEEDS_FEATURE(Openat2);
  const Outcome opened = open("file");
  const base::UniqueFd fd(opened.res);
  EXPECT_TRUE(fd.valid());
  EXPECT_FALSE(opened.by_worker);
}

TEST_F(Worker, LooksUpTheNameThatNobodyHasAskedFor) {
  NEEDS_FEATURE(Openat2);
  const Outcome first = open("missing");
  EXPECT_EQ(first.res, -ENOENT);
  EXPECT_TRUE(first.by_worker) << "the file system has to look";
  const Outcome second = open("missing");
  EXPECT_EQ(second.res, -ENOENT);
  EXPECT_FALSE(second.by_worker) << "that it is missing is cached too";
}

}  // namespace
