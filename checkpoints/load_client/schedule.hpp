#pragma once
// Which target has traffic when. A run is a list of phases, one after the other; at the end of
// each, all that is in flight is waited for, so what a phase measures belongs to its target alone.
//
// With several targets the first is "ours", and each other one is compared with it in pairs of
// neighbouring slices, A B  B A  A B ...: what changes slowly on the machine (its clock, its heat,
// its other guests) meets both sides of a pair alike, and the alternation keeps the first place of
// a pair from being an advantage. With more than two the pairs take turns.

#include <cstdint>
#include <vector>

namespace load_client {

enum class PhaseKind : std::uint8_t {
  WarmUp,  // as measured, and forgotten
  Measure,
};

struct Phase {
  PhaseKind kind;
  std::uint32_t target;
  std::uint64_t duration_ns;
  std::uint32_t reference;  // of the pair that the slice belongs to; 0 with one target

  friend bool operator==(const Phase&, const Phase&) = default;
};

struct ScheduleOptions {
  std::uint32_t targets = 1;
  std::uint64_t warmup_ns = 0;    // 0: none
  std::uint64_t duration_ns = 0;  // with one target
  std::uint64_t slice_ns = 0;     // with several
  std::uint32_t pairs = 0;        // for each comparison
};

[[nodiscard]] std::vector<Phase> make_schedule(const ScheduleOptions& options);

}  // namespace load_client
