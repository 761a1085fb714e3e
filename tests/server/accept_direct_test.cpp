// The kernel's side of accepting into the table of registered files: what becomes of a connection for
// which there is no place.

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "common/net/listener.hpp"
#include "common/uring/features.hpp"
#include "common/uring/prep.hpp"
#include "common/uring/registered_files.hpp"
#include "common/uring/ring.hpp"
#include "tests/server/client.hpp"

namespace server_test {
namespace {

class AcceptDirect : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    const auto features = uring::detect_features_or_explain();
    if (!features) {
      GTEST_SKIP() << features.error();
    }
    if (!features->has(uring::Feature::DirectAccept) ||
        (GetParam() && !features->has(uring::Feature::MultishotAccept))) {
      GTEST_SKIP() << "this kernel cannot accept like that (Linux 5.19), or it is masked";
    }
    ring_.emplace(std::move(*uring::Ring::create({}, *features)));
    listener_ = std::move(*net::listen(*net::Address::parse("127.0.0.1"), {.blocking = true}));
  }

  void arm_accept(int flags = 0) {
    uring::io_uring_sqe& sqe = *ring_->next_sqe();
    if (GetParam()) {
      uring::prep_accept_multishot(sqe, listener_.fd.get(), flags);
    } else {
      uring::prep_accept(sqe, listener_.fd.get(), nullptr, nullptr, flags);
    }
    uring::accept_direct(sqe);
  }

  // The next completion; one with user_data 77 if there is none.
  [[nodiscard]] uring::io_uring_cqe next_completion() {
    (void)ring_->submit_and_wait({.timeout_ns = 5'000'000'000});
    std::array<uring::io_uring_cqe, 1> cqes{};
    cqes.front().user_data = 77;
    (void)ring_->reap(cqes);
    return cqes.front();
  }

  std::optional<uring::Ring> ring_;
  net::Listener listener_;
};
INSTANTIATE_TEST_SUITE_P(By, AcceptDirect, testing::Bool(), [](const auto& kind) {
  return kind.param ? std::string("Multishot") : std::string("SingleShot");
});

TEST_P(AcceptDirect, PutsTheSocketIntoTheFirstPlaceThatIsFree) {
  auto table = uring::RegisteredFiles::create_sparse(*ring_, 3);
  ASSERT_TRUE(table.has_value());
  ASSERT_TRUE(table->set(0, listener_.fd.get()).has_value());
  arm_accept();
  const Client client(listener_.address);
  EXPECT_EQ(next_completion().res, 1);
}

// So a table must have a place for everybody who can come.
TEST_P(AcceptDirect, WithAFullTableTakesTheConnectionAndClosesIt) {
  const auto table = uring::RegisteredFiles::create_sparse(*ring_, 1);
  ASSERT_TRUE(table.has_value());
  arm_accept();
  const Client has_the_place(listener_.address);
  EXPECT_EQ(next_completion().res, 0);
  if (!GetParam()) {
    arm_accept();
  }
  const Client lost(listener_.address);
  const uring::io_uring_cqe refused = next_completion();
  EXPECT_EQ(refused.res, -ENFILE);
  EXPECT_EQ(refused.flags & uring::IORING_CQE_F_MORE, 0U);
  EXPECT_TRUE(lost.hears_within(5000)) << "its end";
  EXPECT_EQ(lost.receive_to_the_end().bytes, 0U);

  uring::prep_close_direct(*ring_->next_sqe(), 0);
  EXPECT_EQ(next_completion().res, 0);
  EXPECT_TRUE(has_the_place.hears_within(5000)) << "its end";
  arm_accept();
  const Client next(listener_.address);
  EXPECT_EQ(next_completion().res, 0) << "the place is free again";
  EXPECT_FALSE(next.hears_within(0));
}

// A place is never inherited by an exec anyway.
TEST_P(AcceptDirect, RefusesCloseOnExec) {
  const auto table = uring::RegisteredFiles::create_sparse(*ring_, 1);
  ASSERT_TRUE(table.has_value());
  arm_accept(SOCK_CLOEXEC);
  EXPECT_EQ(next_completion().res, -EINVAL);
}

}  // namespace
}  // namespace server_test
