#include "checkpoints/load_client/results.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

namespace load_client {

const char* name(ErrorKind kind) {
  constexpr std::array<const char*, kErrorKinds> kNames = {
      "refused", "connect_failed", "reset",        "closed_early",
      "timeout", "wrong_bytes",    "bad_response", "other"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::uint64_t Errors::total() const {
  return std::reduce(counts.begin(), counts.end());
}

double TargetResult::seconds() const {
  constexpr double kNsPerSecond = 1e9;
  return static_cast<double>(measured_ns) / kNsPerSecond;
}

double TargetResult::messages_per_second() const {
  return measured_ns == 0 ? 0 : static_cast<double>(messages) / seconds();
}

std::size_t Pairs::count() const {
  return std::min(ours.size(), reference.size());
}

support::Comparison Pairs::compare(double Slice::*value, support::Better better) const {
  const auto values = [this, value](const std::vector<Slice>& slices) {
    std::vector<double> column;
    for (std::size_t i = 0; i < count(); ++i) {
      column.push_back(slices[i].*value);
    }
    return column;
  };
  return support::compare_pairs(values(ours), values(reference), better);
}

std::uint64_t Results::errors() const {
  return std::transform_reduce(targets.begin(), targets.end(), std::uint64_t{0}, std::plus<>(),
                               [](const TargetResult& target) { return target.errors.total(); });
}

std::uint64_t Results::messages() const {
  return std::transform_reduce(targets.begin(), targets.end(), std::uint64_t{0}, std::plus<>(),
                               [](const TargetResult& target) { return target.messages; });
}

}  // namespace load_client
