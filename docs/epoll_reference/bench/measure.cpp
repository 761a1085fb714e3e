#include "docs/epoll_reference/bench/measure.hpp"

#include <algorithm>

#include "common/support/cpu_clock.hpp"

namespace epoll_reference {
namespace {

constexpr std::uint64_t kSlice_ns = 2'000'000;
constexpr int kFewestRounds = 6;

std::uint64_t whole_batches(const Contender& contender, std::uint64_t operations) {
  return std::max<std::uint64_t>(operations / contender.batch, 1) * contender.batch;
}

double run_slice(const Contender& contender, std::uint64_t operations) {
  const std::uint64_t start_ns = support::thread_cpu_ns();
  contender.run(operations);
  return static_cast<double>(support::thread_cpu_ns() - start_ns) / static_cast<double>(operations);
}

// Warms up, and decides how many operations make a slice.
void prepare(Contender& contender) {
  constexpr std::uint64_t kTrialOperations = 1000;
  const std::uint64_t trial = whole_batches(contender, kTrialOperations);
  run_slice(contender, trial);
  const double ns = std::max(run_slice(contender, trial), 0.1);
  contender.operations_per_slice =
      whole_batches(contender, static_cast<std::uint64_t>(static_cast<double>(kSlice_ns) / ns));
}

double sample(Contender& contender) {
  const double ns = run_slice(contender, contender.operations_per_slice);
  contender.samples_ns.push_back(ns);
  return ns;
}

void sample_abba(std::span<Contender> contenders, Pairing& pairing) {
  for (const std::size_t first : {pairing.ours, pairing.reference}) {
    const std::size_t second = first == pairing.ours ? pairing.reference : pairing.ours;
    const double first_ns = sample(contenders[first]);
    const double second_ns = sample(contenders[second]);
    pairing.ours_ns.push_back(first == pairing.ours ? first_ns : second_ns);
    pairing.reference_ns.push_back(first == pairing.ours ? second_ns : first_ns);
  }
}

bool is_alone(std::size_t index, std::span<const Pairing> pairings) {
  return std::ranges::none_of(pairings, [index](const Pairing& pairing) {
    return pairing.ours == index || pairing.reference == index;
  });
}

}  // namespace

double Pairing::overhead_ns() const {
  std::vector<double> differences_ns;
  for (std::size_t i = 0; i < ours_ns.size(); ++i) {
    differences_ns.push_back(ours_ns[i] - reference_ns[i]);
  }
  return support::median(differences_ns);
}

void measure(std::span<Contender> contenders, std::span<Pairing> pairings, std::uint64_t total_ns) {
  for (Contender& contender : contenders) {
    prepare(contender);
  }
  const std::uint64_t end_ns = support::now_ns() + total_ns;
  for (int round = 0; round < kFewestRounds || support::now_ns() < end_ns; ++round) {
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      if (is_alone(i, pairings)) {
        sample(contenders[i]);
      }
    }
    for (Pairing& pairing : pairings) {
      sample_abba(contenders, pairing);
    }
  }
}

}  // namespace epoll_reference
