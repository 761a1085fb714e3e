// NOPs at batch 1, 32 and 128: our ring against liburing's, in one process, on one CPU, in slices of
// a few milliseconds that alternate A B B A. What disturbs the machine disturbs both slices of a
// pair, and cancels in their ratio.
//
// Same kernel, same flags, same number of system calls: what differs is the code around them.

#include <sched.h>

#include <array>
#include <cstdio>
#include <memory>
#include <optional>
#include <vector>

#include "common/base/check.hpp"
#include "common/support/cpu_clock.hpp"
#include "common/support/options.hpp"
#include "common/support/statistics.hpp"
#include "common/uring/prep.hpp"
#include "common/uring/ring.hpp"
#include "tests/compare/liburing_side.h"

namespace {

constexpr std::uint32_t kEntries = 256;

struct Close {
  void operator()(liburing_side* side) const { liburing_side_close(side); }
};
using LiburingSide = std::unique_ptr<liburing_side, Close>;

// The same work as liburing_side_run().
unsigned long long run_ours(uring::Ring& ring, unsigned batch, unsigned rounds) {
  unsigned long long sum = 0;
  std::array<uring::io_uring_cqe, 128> cqes;
  for (unsigned round = 0; round < rounds; ++round) {
    for (unsigned i = 0; i < batch; ++i) {
      uring::io_uring_sqe* sqe = ring.next_sqe();
      if (sqe == nullptr) {
        return 0;
      }
      uring::prep_nop(*sqe);
      sqe->user_data = i + 1;
    }
    const auto submitted = ring.submit_and_wait(batch);
    if (!submitted || *submitted != batch) {
      return 0;
    }
    const std::uint32_t count = ring.reap(cqes);
    for (std::uint32_t i = 0; i < count; ++i) {
      sum += cqes[i].user_data;
    }
  }
  return sum;
}

struct Sides {
  uring::Ring& ours;
  liburing_side* theirs;
};

// Nanoseconds per NOP of one slice.
double slice(const Sides& sides, bool ours, unsigned batch, unsigned rounds) {
  const std::uint64_t start = support::now_ns();
  const unsigned long long sum =
      ours ? run_ours(sides.ours, batch, rounds) : liburing_side_run(sides.theirs, batch, rounds);
  const std::uint64_t time_ns = support::now_ns() - start;
  const unsigned long long per_round = std::uint64_t{batch} * (batch + 1) / 2;
  CHECK(sum == per_round * rounds, "every NOP has completed");
  return static_cast<double>(time_ns) / (static_cast<double>(batch) * rounds);
}

unsigned rounds_for(const Sides& sides, unsigned batch, double slice_ns) {
  slice(sides, true, batch, 1000);  // warm
  slice(sides, false, batch, 1000);
  const double ns_per_nop = slice(sides, false, batch, 1000);
  const double rounds = slice_ns / (ns_per_nop * batch);
  return rounds < 1 ? 1 : static_cast<unsigned>(rounds);
}

void compare(const Sides& sides, unsigned batch, unsigned quadruples, double slice_ns) {
  const unsigned rounds = rounds_for(sides, batch, slice_ns);
  std::vector<double> ours;
  std::vector<double> theirs;
  for (unsigned i = 0; i < quadruples; ++i) {
    ours.push_back(slice(sides, true, batch, rounds));
    theirs.push_back(slice(sides, false, batch, rounds));
    theirs.push_back(slice(sides, false, batch, rounds));
    ours.push_back(slice(sides, true, batch, rounds));
  }
  const support::Comparison result = support::compare_pairs(ours, theirs, support::Better::Lower);
  const support::Interval interval = result.interval_95.value_or(support::Interval{0, 0});
  std::printf("%5u  %8.1f  %8.1f  %.4f  [%.4f, %.4f]  %s\n", batch, support::median(ours),
              support::median(theirs), result.median_ratio, interval.low, interval.high,
              support::verdict_name(result.verdict));
}

// Both sides on one CPU, whichever we are on.
void pin() {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(static_cast<std::size_t>(::sched_getcpu()), &cpus);
  if (::sched_setaffinity(0, sizeof cpus, &cpus) != 0) {
    std::puts("(not pinned: this process may not choose its CPU)");
  }
}

}  // namespace

int main(int argc, char** argv) {
  unsigned quadruples = 200;
  unsigned slice_us = 2000;
  bool sqarray = true;
  bool registered_fd = true;
  const support::Options options(
      "nop_liburing", "NOPs through our ring and through liburing's, in alternating slices.",
      {support::Option::integer("quadruples", &quadruples, 3, 100000, "A B B A, how many times"),
       support::Option::integer("slice-us", &slice_us, 10, 1000000, "length of a slice"),
       support::Option::flag("sqarray", &sqarray,
                             "ours has the SQ array too; without, NO_SQARRAY, which liburing 2.3 "
                             "does not know"),
       support::Option::flag("registered-fd", &registered_fd,
                             "both register the ring's descriptor")});
  if (const auto status = options.parse_main(argc, argv)) {
    return *status;
  }

  auto mask = uring::parse_feature_mask(sqarray ? "no_sqarray" : "");
  CHECK(mask.has_value());
  const auto features = uring::Features::detect(*mask);
  CHECK(features.has_value(), "io_uring is denied here: `m1_sq_cq features` says by whom");
  const std::uint32_t flags = features->allowed_setup_flags(uring::IORING_SETUP_SINGLE_ISSUER |
                                                            uring::IORING_SETUP_DEFER_TASKRUN);
  auto ours = uring::Ring::create({.sq_entries = kEntries, .setup_flags = flags}, *features);
  CHECK(ours.has_value(), "a ring can be set up");
  const bool register_both = registered_fd && features->has(uring::Feature::RegisteredRing);
  if (register_both) {
    CHECK(ours->register_ring_fd().has_value());
  }
  const LiburingSide theirs(liburing_side_open(kEntries, flags, register_both ? 1 : 0));
  CHECK(theirs != nullptr, "liburing can set its ring up as well");

  pin();
  std::printf("setup flags 0x%x%s, ring descriptor %s; %u pairs of slices of %u us\n", flags,
              sqarray ? "" : " (ours with NO_SQARRAY too)",
              register_both ? "registered" : "not registered", 2 * quadruples, slice_us);
  std::printf("batch   ours ns   liburing   ratio  95%% interval     ours is\n");
  for (const unsigned batch : {1U, 32U, 128U}) {
    compare({.ours = *ours, .theirs = theirs.get()}, batch, quadruples, slice_us * 1000.0);
  }
  return 0;
}
