// SPLICE from a file through a pipe into a socket, as a file server uses it.

#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "common/uring/registered_files.hpp"
#include "tests/kernel/loop_test.hpp"
#include "tests/kernel/pipe_ends.hpp"
#include "tests/kernel/steps.hpp"
#include "tests/kernel/tcp_pair.hpp"
#include "tests/kernel/test_files.hpp"

namespace {

using namespace loop_test;

class Splice : public LoopTest {
 protected:
  void prep_fill(uring::io_uring_sqe& sqe, std::uint32_t size) {
    uring::prep_splice(sqe, file_.get(), 0, pipe_.write_end.get(), uring::kNoOffset, size, 0);
  }
  void prep_empty(uring::io_uring_sqe& sqe, std::uint32_t size) {
    uring::prep_splice(sqe, pipe_.read_end.get(), uring::kNoOffset, sockets_.near.get(),
                       uring::kNoOffset, size, 0);
  }
  void run_linked(uring::Ring& ring, std::uint32_t size, std::int32_t filled,
                  std::int32_t emptied) {
    ASSERT_TRUE(ring.sq().begin_chain(2));
    prep_fill(kernel_test::next(ring, 1), size);
    prep_empty(kernel_test::next(ring, 2), size);
    const auto cqes = kernel_test::collect(ring, 2);
    EXPECT_EQ(kernel_test::res_of(cqes, 1), filled);
    EXPECT_EQ(kernel_test::res_of(cqes, 2), emptied);
  }

  static std::string read_all(int fd) {
    std::array<char, 64> bytes;
    const ssize_t size = ::read(fd, bytes.data(), bytes.size());
    return {bytes.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
  }

  base::UniqueFd file_ = kernel_test::make_file("0123456789");
  kernel_test::PipeEnds pipe_;
  kernel_test::TcpPair sockets_;
};
INSTANTIATE_TEST_SUITE_P(On, Splice, all_ring_kinds(), name_of);

TEST_P(Splice, ALinkedPairMovesAFileIntoASocket) {
  uring::Ring ring = make_ring(4);
  run_linked(ring, 10, 10, 10);
  EXPECT_EQ(read_all(sockets_.far.get()), "0123456789");
}

TEST_P(Splice, AShortFirstStepBreaksTheLinkAndLeavesItsBytesInThePipe) {
  uring::Ring ring = make_ring(4);
  run_linked(ring, 20, 10, -ECANCELED);
  EXPECT_EQ(kernel_test::await(sockets_.far.get(), POLLIN, 0), 0);
  EXPECT_EQ(read_all(pipe_.read_end.get()), "0123456789");
}

TEST_P(Splice, BehindTheEndOfTheFileMovesNothing) {
  uring::Ring ring = make_ring(4);
  const auto cqe = kernel_test::run_one(ring, [&](uring::io_uring_sqe& sqe) {
    uring::prep_splice(sqe, file_.get(), 10, pipe_.write_end.get(), uring::kNoOffset, 10, 0);
  });
  EXPECT_EQ(cqe.res, 0);
}

TEST_P(Splice, IntoAFullNonblockingSocketIsEagain) {
  uring::Ring ring = make_ring(4);
  kernel_test::set_nonblocking(sockets_.near.get());
  kernel_test::fill(sockets_.near.get());
  prep_fill(kernel_test::next(ring, 1), 10);
  ASSERT_EQ(kernel_test::collect(ring, 1).front().res, 10);
  prep_empty(kernel_test::next(ring, 2), 10);
  EXPECT_EQ(kernel_test::collect(ring, 1).front().res, -EAGAIN) << "no worker waits";
  EXPECT_EQ(read_all(pipe_.read_end.get()), "0123456789") << "and nothing is lost";
}

TEST_P(Splice, IntoAFullBlockingSocketKeepsItsWorkerWaiting) {
  uring::Ring ring = make_ring(4);
  kernel_test::fill(sockets_.near.get());
  prep_fill(kernel_test::next(ring, 1), 10);
  ASSERT_EQ(kernel_test::collect(ring, 1).front().res, 10);
  prep_empty(kernel_test::next(ring, 2), 10);
  EXPECT_TRUE(kernel_test::stays_quiet(ring));
  for (int i = 0; i < 1'000 && kernel_test::stays_quiet(ring); ++i) {
    kernel_test::drain(sockets_.far.get());
  }
  EXPECT_EQ(kernel_test::collect(ring, 1).front().res, 10);
}

TEST_P(Splice, AFlagSaysThatTheInputIsAPlaceInTheTable) {
  uring::Ring ring = make_ring(4);
  const std::array table{file_.get()};
  const auto files = uring::RegisteredFiles::create(ring, table);
  ASSERT_TRUE(files.has_value());
  const auto cqe = kernel_test::run_one(ring, [&](uring::io_uring_sqe& sqe) {
    uring::prep_splice(sqe, 0, 2, pipe_.write_end.get(), uring::kNoOffset, 3,
                       uring::SPLICE_F_FD_IN_FIXED);
  });
  EXPECT_EQ(cqe.res, 3);
  EXPECT_EQ(read_all(pipe_.read_end.get()), "234");
}

}  // namespace
