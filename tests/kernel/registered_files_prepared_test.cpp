// A request names a place in the table of registered files, and the kernel looks there when it comes
// to the request: not when the request is prepared.

#include "common/uring/registered_files.hpp"
#include "tests/kernel/loop_test.hpp"
#include "tests/kernel/steps.hpp"
#include "tests/kernel/test_files.hpp"

namespace {

using namespace loop_test;

class RegisteredFilesPrepared : public LoopTest {};
INSTANTIATE_TEST_SUITE_P(On, RegisteredFilesPrepared, all_ring_kinds(), name_of);

TEST_P(RegisteredFilesPrepared, AReadNotYetSubmittedReadsTheFileThatTookThePlace) {
  uring::Ring ring = make_ring(4);
  auto files = uring::RegisteredFiles::create_sparse(ring, 1);
  ASSERT_TRUE(files.has_value());
  ASSERT_TRUE(files->set(0, kernel_test::make_file("old").get()).has_value());

  std::array<std::byte, 3> buffer{};
  uring::io_uring_sqe& sqe = kernel_test::next(ring, 1);
  uring::prep_read(sqe, 0, buffer, 0);
  sqe.flags |= uring::IOSQE_FIXED_FILE;
  ASSERT_TRUE(files->set(0, kernel_test::make_file("new").get()).has_value());
  EXPECT_EQ(kernel_test::collect(ring, 1).front().res, 3);
  EXPECT_EQ(kernel_test::as_text(buffer), "new");
}

}  // namespace
