// Sockets that are accepted into the ring's table of registered files and have no descriptor.

#include <filesystem>

#include "common/uring/registered_files.hpp"
#include "tests/kernel/descriptor_limit.hpp"
#include "tests/kernel/loop_test.hpp"
#include "tests/kernel/steps.hpp"
#include "tests/kernel/tcp_pair.hpp"
#include "tests/kernel/test_files.hpp"

namespace {

using namespace loop_test;

std::ptrdiff_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return std::distance(begin(all), end(all));
}

class DirectAccept : public LoopTest {
 protected:
  void SetUp() override {
    NEEDS_FEATURE(DirectAccept);
    LoopTest::SetUp();
  }

  static uring::RegisteredFiles make_table(uring::Ring& ring, std::uint32_t places) {
    auto table = uring::RegisteredFiles::create_sparse(ring, places);
    CHECK(table.has_value());
    return std::move(*table);
  }

  // Static: UBSan needs descriptors to look at the object of a member function, and one test has none.
  static void arm(uring::Ring& ring, const base::UniqueFd& listener, int accept_flags = 0) {
    uring::io_uring_sqe& sqe = kernel_test::next(ring, 1);
    uring::prep_accept_multishot(sqe, listener.get(), accept_flags);
    uring::accept_direct(sqe);
    kernel_test::submit_all(ring);
  }
  base::UniqueFd connect() { return kernel_test::connect_to(listener_); }

  // One request on a place of the table, to its end.
  template <class Prepare>
  static std::int32_t run(uring::Ring& ring, Prepare prepare) {
    return kernel_test::run_one(ring,
                                [&](uring::io_uring_sqe& sqe) {
                                  prepare(sqe);
                                  sqe.flags |= uring::IOSQE_FIXED_FILE;
                                })
        .res;
  }
  void arm_recv(uring::Ring& ring, std::uint64_t user_data, int place) {
    uring::io_uring_sqe& sqe = kernel_test::next(ring, user_data);
    uring::prep_recv(sqe, place, buffer_, 0);
    sqe.flags |= uring::IOSQE_FIXED_FILE;
    kernel_test::submit_all(ring);
    ASSERT_TRUE(kernel_test::stays_quiet(ring));
  }
  static std::int32_t close(uring::Ring& ring, std::uint32_t place) {
    return kernel_test::run_one(
               ring, [&](uring::io_uring_sqe& sqe) { uring::prep_close_direct(sqe, place); })
        .res;
  }

  std::array<std::byte, 8> buffer_{};
  base::UniqueFd listener_ = kernel_test::make_listener();
};
INSTANTIATE_TEST_SUITE_P(On, DirectAccept, new_ring_kinds(), name_of);

TEST_P(DirectAccept, GivesAPlaceAndMakesNoDescriptor) {
  uring::Ring ring = make_ring(4);
  const auto table = make_table(ring, 4);
  arm(ring, listener_);
  const base::UniqueFd first = connect();
  const base::UniqueFd second = connect();
  const std::ptrdiff_t before = open_descriptors();
  const auto cqes = kernel_test::collect(ring, 2);
  EXPECT_EQ(cqes[0].res, 0);
  EXPECT_EQ(cqes[1].res, 1);
  EXPECT_EQ(open_descriptors(), before);
}

TEST_P(DirectAccept, RecvSendAndShutdownWorkOnThePlace) {
  uring::Ring ring = make_ring(4);
  const auto table = make_table(ring, 4);
  arm(ring, listener_);
  const base::UniqueFd client = connect();
  const int place = kernel_test::collect(ring, 1).front().res;
  kernel_test::write_text(client.get(), "ping");
  EXPECT_EQ(run(ring, [&](auto& sqe) { uring::prep_recv(sqe, place, buffer_, 0); }), 4);
  const auto received = std::span(buffer_).first(4);
  EXPECT_EQ(run(ring, [&](auto& sqe) { uring::prep_send(sqe, place, received, 0); }), 4);
  std::array<std::byte, 4> echo{};
  ASSERT_EQ(::recv(client.get(), echo.data(), echo.size(), 0), 4);
  EXPECT_EQ(kernel_test::as_text(echo), "ping");
  EXPECT_EQ(run(ring, [&](auto& sqe) { uring::prep_shutdown(sqe, place, SHUT_WR); }), 0);
  EXPECT_TRUE(kernel_test::sees_the_end(client.get()));
}

TEST_P(DirectAccept, AFullTableIsEnfileAndTheConnectionIsLost) {
  uring::Ring ring = make_ring(4);
  const auto table = make_table(ring, 1);
  arm(ring, listener_);
  const base::UniqueFd first = connect();
  EXPECT_EQ(kernel_test::collect(ring, 1).front().res, 0);
  const base::UniqueFd second = connect();
  const auto cqe = kernel_test::collect(ring, 1).front();
  EXPECT_EQ(cqe.res, -ENFILE);
  EXPECT_EQ(cqe.flags & uring::IORING_CQE_F_MORE, 0U);
  EXPECT_TRUE(kernel_test::sees_the_end(second.get())) << "not in the backlog: it was closed";
}

TEST_P(DirectAccept, NeedsNoNumberOfADescriptor) {
  uring::Ring ring = make_ring(4);
  const auto table = make_table(ring, 4);
  const base::UniqueFd client = kernel_test::make_client();
  const kernel_test::DescriptorLimit limit(0);
  arm(ring, listener_);
  kernel_test::connect(client, kernel_test::address_of(listener_));
  EXPECT_EQ(kernel_test::collect(ring, 1).front().res, 0);
}

TEST_P(DirectAccept, CloexecIsEinval) {
  uring::Ring ring = make_ring(4);
  const auto table = make_table(ring, 4);
  arm(ring, listener_, SOCK_CLOEXEC);
  EXPECT_EQ(kernel_test::collect(ring, 1).front().res, -EINVAL);
}

TEST_P(DirectAccept, ACloseFreesThePlaceAndEndsTheConnection) {
  uring::Ring ring = make_ring(4);
  const auto table = make_table(ring, 1);
  arm(ring, listener_);
  const base::UniqueFd first = connect();
  ASSERT_EQ(kernel_test::collect(ring, 1).front().res, 0);
  EXPECT_EQ(close(ring, 0), 0);
  EXPECT_TRUE(kernel_test::sees_the_end(first.get()));
  EXPECT_EQ(close(ring, 0), -EBADF) << "there is nothing in it";
  EXPECT_EQ(close(ring, 1), -EINVAL) << "there is no such place";
  const base::UniqueFd second = connect();
  EXPECT_EQ(kernel_test::collect(ring, 1).front().res, 0) << "the same place";
}

// That the fd of the SQE is a place of the table, as in every other request, is an error here.
TEST_P(DirectAccept, ACloseWithFixedFileIsEbadf) {
  uring::Ring ring = make_ring(4);
  const auto table = make_table(ring, 1);
  arm(ring, listener_);
  const base::UniqueFd client = connect();
  ASSERT_EQ(kernel_test::collect(ring, 1).front().res, 0);
  EXPECT_EQ(run(ring, [](auto& sqe) { uring::prep_close(sqe, 0); }), -EBADF);
  EXPECT_EQ(run(ring, [](auto& sqe) { uring::prep_close_direct(sqe, 0); }), -EBADF);
  EXPECT_EQ(close(ring, 0), 0);
}

TEST_P(DirectAccept, ACloseEndsNoRecvThoughThePlaceIsFreeForAnother) {
  uring::Ring ring = make_ring(4);
  const auto table = make_table(ring, 1);
  arm(ring, listener_);
  const base::UniqueFd first = connect();
  ASSERT_EQ(kernel_test::collect(ring, 1).front().res, 0);
  arm_recv(ring, 2, 0);
  EXPECT_EQ(close(ring, 0), 0);
  EXPECT_TRUE(kernel_test::stays_quiet(ring));

  const base::UniqueFd second = connect();
  EXPECT_EQ(kernel_test::collect(ring, 1).front().res, 0) << "the place is another connection's";
  kernel_test::write_text(first.get(), "late");
  const auto cqe = kernel_test::collect(ring, 1).front();
  EXPECT_EQ(cqe.user_data, 2U) << "and the first one's RECV is still there";
  EXPECT_EQ(cqe.res, 4);
  EXPECT_TRUE(kernel_test::sees_the_end(first.get()));
}

TEST_P(DirectAccept, ACancelFindsAllThatWaitsOnThePlace) {
  NEEDS_LINUX(6, 0, "a cancel finds no requests by their place");
  uring::Ring ring = make_ring(4);
  const auto table = make_table(ring, 2);
  arm(ring, listener_);
  const base::UniqueFd first = connect();
  const base::UniqueFd second = connect();
  (void)kernel_test::collect(ring, 2);
  arm_recv(ring, 2, 0);
  arm_recv(ring, 3, 1);
  uring::prep_cancel_fd(kernel_test::next(ring, 4), 1,
                        uring::IORING_ASYNC_CANCEL_ALL | uring::IORING_ASYNC_CANCEL_FD_FIXED);
  const auto cqes = kernel_test::collect(ring, 2);
  EXPECT_EQ(kernel_test::res_of(cqes, 3), -ECANCELED);
  EXPECT_EQ(kernel_test::res_of(cqes, 4), 1);
  EXPECT_TRUE(kernel_test::stays_quiet(ring));
}

}  // namespace
