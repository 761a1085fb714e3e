// The kernel's side of running out of descriptors: what an ACCEPT without a number to give does.

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include <gtest/gtest.h>

#include "common/net/listener.hpp"
#include "common/uring/features.hpp"
#include "common/uring/prep.hpp"
#include "common/uring/ring.hpp"

namespace {

// In a child process, whose limit it lowers; returns what the ACCEPT completed with.
int accept_without_descriptors() {
  const auto listener = net::listen(*net::Address::parse("127.0.0.1"), {.blocking = true});
  const auto features = uring::detect_features_or_explain();
  auto ring = uring::Ring::create({}, *features);
  const int next = ::dup(listener->fd.get());
  ::close(next);
  const rlimit lowered{.rlim_cur = static_cast<rlim_t>(next),
                       .rlim_max = static_cast<rlim_t>(next)};
  ::setrlimit(RLIMIT_NOFILE, &lowered);
  uring::prep_accept(*ring->next_sqe(), listener->fd.get(), nullptr, nullptr, 0);
  (void)ring->submit_and_wait({.timeout_ns = 5'000'000'000});
  std::array<uring::io_uring_cqe, 1> cqes{};
  return ring->reap(cqes) == 1 ? -cqes.front().res : 0;
}

// Nobody has connected, and it does not wait for anybody.
TEST(AcceptEmfile, FailsAtOnceEvenIfNobodyIsWaiting) {
  if (!uring::detect_features_or_explain()) {
    GTEST_SKIP() << "io_uring is denied here";
  }
  EXPECT_EXIT(::_exit(accept_without_descriptors()), testing::ExitedWithCode(EMFILE), "");
}

}  // namespace
