#include "m1_sq_cq/costs_measure.hpp"

#include <algorithm>

#include "common/support/cpu_clock.hpp"

namespace m1 {

namespace {

// CPU nanoseconds per operation.
base::Result<double> run_slice(Contender& contender, std::uint64_t operations) {
  const std::uint64_t start_ns = support::process_cpu_ns();
  const auto done = contender.run(operations);
  const std::uint64_t spent_ns = support::process_cpu_ns() - start_ns;
  if (!done) {
    return base::fail(done.error());
  }
  if (contender.after_slice) {
    contender.after_slice();
  }
  return static_cast<double>(spent_ns) / static_cast<double>(operations);
}

std::uint64_t multiple_of_batch(const Contender& contender, double operations) {
  const auto batches =
      static_cast<std::uint64_t>(operations / static_cast<double>(contender.batch));
  return std::max<std::uint64_t>(batches, 1) * contender.batch;
}

// Warms up, and decides how many operations make a slice.
base::Result<void> prepare(Contender& contender, std::uint64_t slice_ns) {
  constexpr double kTrialOperations = 200;
  const std::uint64_t trial = multiple_of_batch(contender, kTrialOperations);
  const std::uint64_t start_ns = support::now_ns();
  if (const auto warm = run_slice(contender, trial); !warm) {
    return base::fail(warm.error());
  }
  if (contender.operations_per_slice == 0) {
    const auto wall_ns =
        static_cast<double>(std::max<std::uint64_t>(support::now_ns() - start_ns, 1));
    contender.operations_per_slice = multiple_of_batch(
        contender, static_cast<double>(slice_ns) * static_cast<double>(trial) / wall_ns);
  }
  return {};
}

// Runs a slice and keeps its sample.
base::Result<double> sample(Contender& contender) {
  const auto ns = run_slice(contender, contender.operations_per_slice);
  if (ns) {
    contender.samples_ns.push_back(*ns);
  }
  return ns;
}

base::Result<void> measure_abba(std::span<Contender> contenders, Pairing& pairing) {
  Contender& ours = contenders[pairing.ours];
  Contender& reference = contenders[pairing.reference];
  for (const bool ours_first : {true, false}) {
    const auto first = sample(ours_first ? ours : reference);
    const auto second = sample(ours_first ? reference : ours);
    if (!first || !second) {
      return base::fail(!first ? first.error() : second.error());
    }
    pairing.ours_ns.push_back(ours_first ? *first : *second);
    pairing.reference_ns.push_back(ours_first ? *second : *first);
  }
  return {};
}

}  // namespace

base::Result<double> measure_alone(Contender& contender, std::uint64_t slice_ns) {
  if (const auto prepared = prepare(contender, slice_ns); !prepared) {
    return base::fail(prepared.error());
  }
  constexpr int kSlices = 7;
  std::vector<double> samples;
  for (int i = 0; i < kSlices; ++i) {
    const auto ns = run_slice(contender, contender.operations_per_slice);
    if (!ns) {
      return ns;
    }
    samples.push_back(*ns);
  }
  return support::median(samples);
}

base::Result<void> measure(std::span<Contender> contenders, std::span<Pairing> pairings,
                           std::uint64_t slice_ns, std::uint64_t total_ns) {
  for (Contender& contender : contenders) {
    if (const auto prepared = prepare(contender, slice_ns); !prepared) {
      return prepared;
    }
  }
  constexpr int kFewestRounds = 3;  // six pairs: fewer have no interval
  const std::uint64_t end_ns = support::now_ns() + total_ns;
  for (int round = 0; round < kFewestRounds || support::now_ns() < end_ns; ++round) {
    for (Pairing& pairing : pairings) {
      if (const auto measured = measure_abba(contenders, pairing); !measured) {
        return measured;
      }
    }
  }
  return {};
}

PinnedToOneCpu::PinnedToOneCpu() {
  if (::sched_getaffinity(0, sizeof mask_before_, &mask_before_) != 0) {
    return;  // more CPUs than a cpu_set_t holds
  }
  const int cpu = ::sched_getcpu();
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(static_cast<std::size_t>(cpu), &only);
  if (::sched_setaffinity(0, sizeof only, &only) == 0) {
    cpu_ = cpu;
  }
}

PinnedToOneCpu::~PinnedToOneCpu() {
  if (cpu_) {
    ::sched_setaffinity(0, sizeof mask_before_, &mask_before_);
  }
}

}  // namespace m1
