#pragma once
// What every kernel test starts from: a ring on this machine's kernel, and short ways to run one
// request and to collect completions.

#include <sys/utsname.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <vector>

#include <gtest/gtest.h>

#include "common/uring/features.hpp"
#include "common/uring/prep.hpp"
#include "common/uring/ring.hpp"

namespace kernel_test {

// Detected anew for each test, so that URING_DISABLE and a changed machine are seen.
inline uring::Features features() {
  auto detected = uring::detect_features_or_explain();
  CHECK(detected.has_value(), "io_uring is denied here: `m1_sq_cq features` says by whom");
  return *detected;
}

inline uring::Ring make_ring(const uring::RingOptions& options = {}) {
  auto ring = uring::Ring::create(options, features());
  CHECK(ring.has_value(), "a ring could not be set up");
  return std::move(*ring);
}

// Waits until `count` completions have come and returns them in their order.
inline std::vector<uring::io_uring_cqe> collect(uring::Ring& ring, std::uint32_t count) {
  std::vector<uring::io_uring_cqe> all;
  std::array<uring::io_uring_cqe, 64> batch;
  while (all.size() < count) {
    const auto waited = ring.submit_and_wait(1);
    CHECK(waited.has_value() || waited.error().value == EINTR, "waiting failed");
    const std::uint32_t reaped = ring.reap(batch);
    all.insert(all.end(), batch.begin(), batch.begin() + reaped);
  }
  return all;
}

// Runs the request that `prepare(sqe)` fills and returns its one completion.
template <class Prepare>
uring::io_uring_cqe run_one(uring::Ring& ring, Prepare prepare) {
  uring::io_uring_sqe* sqe = ring.next_sqe();
  CHECK(sqe != nullptr, "the SQ is full");
  prepare(*sqe);
  return collect(ring, 1).front();
}

// Whether nothing (more) has completed, after giving the kernel the chance to post it.
inline bool is_quiet(uring::Ring& ring) {
  CHECK(ring.get_events().has_value(), "entering failed");
  return ring.cq().ready() == 0;
}

// Whether this kernel calls itself `major.minor` or newer. Only for behaviour that leaves no other
// trace: a stable update may have brought it to a kernel with an older name.
inline bool is_linux(int major, int minor) {
  utsname name{};
  CHECK(::uname(&name) == 0);
  int found_major = 0;
  int found_minor = 0;
  CHECK(std::sscanf(name.release, "%d.%d", &found_major, &found_minor) == 2);
  return found_major > major || (found_major == major && found_minor >= minor);
}

}  // namespace kernel_test

// In a TEST body: skips on a kernel that behaves in another way, which the reason tells.
#define NEEDS_LINUX(major, minor, reason)                                 \
  do {                                                                    \
    if (!kernel_test::is_linux(major, minor)) {                           \
      GTEST_SKIP() << "before Linux " #major "." #minor ": " << (reason); \
    }                                                                     \
  } while (false)

// The same on a series of kernels, that of MAJOR.MINOR, in which something is otherwise than before and after.
#define NOT_ON_LINUX(major, minor, reason)                                                   \
  do {                                                                                       \
    if (kernel_test::is_linux(major, minor) && !kernel_test::is_linux(major, (minor) + 1)) { \
      GTEST_SKIP() << "Linux " #major "." #minor ": " << (reason);                           \
    }                                                                                        \
  } while (false)

// In a TEST body: skips, with the reason, where the kernel lacks the feature.
#define NEEDS_FEATURE(which)                                                          \
  do {                                                                                \
    if (!kernel_test::features().has(uring::Feature::which)) {                        \
      GTEST_SKIP() << "this kernel lacks " << uring::info(uring::Feature::which).name \
                   << " (Linux " << uring::info(uring::Feature::which).since << ")";  \
    }                                                                                 \
  } while (false)
