#pragma once
// Requests that are told apart by their user_data, and what it takes to say that one is waiting.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "common/base/check.hpp"
#include "tests/kernel/kernel_test.hpp"

namespace kernel_test {

inline uring::io_uring_sqe& next(uring::Ring& ring, std::uint64_t user_data) {
  uring::io_uring_sqe* sqe = ring.next_sqe();
  CHECK(sqe != nullptr, "the SQ is full");
  sqe->user_data = user_data;
  return *sqe;
}

inline std::int32_t res_of(const std::vector<uring::io_uring_cqe>& cqes, std::uint64_t user_data) {
  const auto found = std::ranges::find(cqes, user_data, &uring::io_uring_cqe::user_data);
  CHECK(found != cqes.end(), "no completion with this user_data");
  return found->res;
}

// Submits what is prepared and returns when the kernel has begun it: with SQPOLL, when its thread
// has come to it.
inline void submit_all(uring::Ring& ring) {
  if ((ring.setup_flags() & uring::IORING_SETUP_SQPOLL) == 0) {
    CHECK(ring.submit().has_value(), "submitting failed");
    return;
  }
  for (int i = 0; i < 10'000; ++i) {
    const auto left = ring.submit();
    CHECK(left.has_value(), "submitting failed");
    if (*left == 0) {
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  CHECK(false, "the ring's thread takes nothing");
}

// Whether nothing (more) completes for 20 ms.
inline bool stays_quiet(uring::Ring& ring) {
  CHECK(ring.submit().has_value(), "submitting failed");
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  return is_quiet(ring);
}

}  // namespace kernel_test
