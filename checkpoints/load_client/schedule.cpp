#include "checkpoints/load_client/schedule.hpp"

namespace load_client {

std::vector<Phase> make_schedule(const ScheduleOptions& options) {
  std::vector<Phase> phases;
  const auto add = [&phases](PhaseKind kind, std::uint32_t target, std::uint64_t duration_ns,
                             std::uint32_t reference) {
    phases.push_back({kind, target, duration_ns, reference});
  };
  for (std::uint32_t target = 0; options.warmup_ns > 0 && target < options.targets; ++target) {
    add(PhaseKind::WarmUp, target, options.warmup_ns, 0);
  }
  if (options.targets == 1) {
    add(PhaseKind::Measure, 0, options.duration_ns, 0);
    return phases;
  }
  for (std::uint32_t pair = 0; pair < options.pairs; ++pair) {
    const bool ours_first = pair % 2 == 0;
    for (std::uint32_t reference = 1; reference < options.targets; ++reference) {
      add(PhaseKind::Measure, ours_first ? 0 : reference, options.slice_ns, reference);
      add(PhaseKind::Measure, ours_first ? reference : 0, options.slice_ns, reference);
    }
  }
  return phases;
}

}  // namespace load_client
