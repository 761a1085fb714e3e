#include "m1_sq_cq/completions.hpp"

#include <array>
#include <cerrno>
#include <cstdint>

#include "common/support/cpu_clock.hpp"

namespace m1 {

namespace {

constexpr std::int64_t kPatienceNs = 10'000'000'000;

}  // namespace

base::Result<std::vector<uring::io_uring_cqe>> collect(uring::Ring& ring, std::size_t count) {
  const std::uint64_t deadline_ns = support::now_ns() + kPatienceNs;
  std::vector<uring::io_uring_cqe> all;
  std::array<uring::io_uring_cqe, 64> batch;
  while (all.size() < count) {
    const auto submitted = ring.submit_and_wait({.wait_nr = 1, .timeout_ns = kPatienceNs});
    if (!submitted && submitted.error().value != EINTR) {
      return base::fail(submitted.error());
    }
    const std::uint32_t reaped = ring.reap(batch);
    all.insert(all.end(), batch.begin(), batch.begin() + reaped);
    if (reaped == 0 && support::now_ns() >= deadline_ns) {
      return base::fail(ETIME);
    }
  }
  return all;
}

}  // namespace m1
