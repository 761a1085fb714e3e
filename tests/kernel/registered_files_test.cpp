// Registered files: the table, and that an operation in flight keeps the file it began with.

#include "common/uring/registered_files.hpp"

#include "common/base/unique_fd.hpp"
#include "tests/kernel/kernel_test.hpp"
#include "tests/kernel/test_files.hpp"

namespace {

struct ReadResult {
  std::int32_t res;
  char first;
};

ReadResult read_registered(uring::Ring& ring, int index) {
  std::array<std::byte, 1> byte{};
  const auto cqe = kernel_test::run_one(ring, [&](uring::io_uring_sqe& sqe) {
    uring::prep_read(sqe, index, byte, 0);
    sqe.flags |= uring::IOSQE_FIXED_FILE;
  });
  return {cqe.res, static_cast<char>(byte[0])};
}

TEST(RegisteredFiles, SlotsAreSetReplacedAndCleared) {
  uring::Ring ring = kernel_test::make_ring();
  auto files = uring::RegisteredFiles::create_sparse(ring, 4);
  ASSERT_TRUE(files.has_value());
  EXPECT_EQ(read_registered(ring, 2).res, -EBADF) << "an empty slot";

  ASSERT_TRUE(files->set(2, kernel_test::make_file("a").get())
                  .has_value());  // closed at once: the table holds it
  EXPECT_EQ(read_registered(ring, 2).first, 'a');
  ASSERT_TRUE(files->set(2, kernel_test::make_file("b").get()).has_value());
  EXPECT_EQ(read_registered(ring, 2).first, 'b');
  ASSERT_TRUE(files->clear(2).has_value());
  EXPECT_EQ(read_registered(ring, 2).res, -EBADF);

  EXPECT_EQ(files->set(4, kernel_test::make_file("c").get()).error().value, EINVAL)
      << "out of range";
  EXPECT_EQ(files->set(0, 1 << 20).error().value, EBADF);
}

TEST(RegisteredFiles, AnIndexIsNotADescriptor) {
  uring::Ring ring = kernel_test::make_ring();
  const base::UniqueFd file = kernel_test::make_file("x");
  const std::array table{file.get()};
  const auto files = uring::RegisteredFiles::create(ring, table);
  ASSERT_TRUE(files.has_value());
  EXPECT_EQ(read_registered(ring, 0).first, 'x');
  EXPECT_EQ(read_registered(ring, file.get()).res, -EBADF)
      << "the descriptor's number is no index of a table of one";
}

TEST(RegisteredFiles, AnOperationInFlightKeepsItsFile) {
  uring::Ring ring = kernel_test::make_ring();
  auto files = uring::RegisteredFiles::create_sparse(ring, 1);
  ASSERT_TRUE(files.has_value());
  kernel_test::SocketPair sockets;
  ASSERT_TRUE(files->set(0, sockets.near.get()).has_value());
  sockets.near.reset();

  std::array<std::byte, 4> buffer{};
  uring::io_uring_sqe* sqe = ring.next_sqe();
  uring::prep_recv(*sqe, 0, buffer, 0);
  sqe->flags |= uring::IOSQE_FIXED_FILE;
  ASSERT_TRUE(ring.submit().has_value());
  ASSERT_TRUE(files->set(0, kernel_test::make_file("other").get()).has_value());

  // The socket is still open: the recv holds it.
  kernel_test::write_text(sockets.far.get(), "late");
  EXPECT_EQ(kernel_test::collect(ring, 1).front().res, 4);
  EXPECT_EQ(kernel_test::as_text(buffer), "late");
}

}  // namespace
