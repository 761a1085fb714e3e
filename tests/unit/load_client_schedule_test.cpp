// The load client's slices: who has the traffic when, and that the comparison is fair.

#include <vector>

#include <gtest/gtest.h>

#include "checkpoints/load_client/schedule.hpp"

namespace {

using namespace load_client;

constexpr ScheduleOptions kOptions = {
    .targets = 2, .warmup_ns = 7, .duration_ns = 1000, .slice_ns = 50, .pairs = 4};

std::vector<Phase> measured(const std::vector<Phase>& phases) {
  std::vector<Phase> slices;
  for (const Phase& phase : phases) {
    if (phase.kind == PhaseKind::Measure) {
      slices.push_back(phase);
    }
  }
  return slices;
}

std::vector<std::uint32_t> targets_of(const std::vector<Phase>& phases) {
  std::vector<std::uint32_t> targets;
  for (const Phase& phase : phases) {
    targets.push_back(phase.target);
  }
  return targets;
}

TEST(LoadClientSchedule, OneTargetIsMeasuredOnce) {
  ScheduleOptions options = kOptions;
  options.targets = 1;
  const std::vector<Phase> expected = {{PhaseKind::WarmUp, 0, 7, 0},
                                       {PhaseKind::Measure, 0, 1000, 0}};
  EXPECT_EQ(make_schedule(options), expected);
}

TEST(LoadClientSchedule, NoWarmUp) {
  ScheduleOptions options = kOptions;
  options.targets = 1;
  options.warmup_ns = 0;
  const std::vector<Phase> expected = {{PhaseKind::Measure, 0, 1000, 0}};
  EXPECT_EQ(make_schedule(options), expected);
}

TEST(LoadClientSchedule, EachTargetIsWarmedUpBeforeAnyIsMeasured) {
  ScheduleOptions options = kOptions;
  options.targets = 3;
  const auto phases = make_schedule(options);
  ASSERT_GE(phases.size(), 3U);
  for (std::uint32_t target = 0; target < 3; ++target) {
    EXPECT_EQ(phases[target], (Phase{PhaseKind::WarmUp, target, 7, 0}));
  }
  EXPECT_EQ(measured(phases).size() + 3, phases.size());
}

TEST(LoadClientSchedule, PairsAlternate) {
  const auto slices = measured(make_schedule(kOptions));
  EXPECT_EQ(targets_of(slices), (std::vector<std::uint32_t>{0, 1, 1, 0, 0, 1, 1, 0}));
  for (const Phase& slice : slices) {
    EXPECT_EQ(slice.duration_ns, 50U);
    EXPECT_EQ(slice.reference, 1U);
  }
}

// Each reference is met by slices of ours beside its own, in both orders equally often.
TEST(LoadClientSchedule, SeveralReferencesTakeTurns) {
  ScheduleOptions options = kOptions;
  options.targets = 4;
  const auto slices = measured(make_schedule(options));
  ASSERT_EQ(slices.size(), 4U * 3 * 2);
  for (std::size_t i = 0; i < slices.size(); i += 2) {
    const Phase& first = slices[i];
    const Phase& second = slices[i + 1];
    EXPECT_EQ(first.reference, second.reference);
    EXPECT_EQ(first.reference, i / 2 % 3 + 1);
    const bool ours_first = i / 2 / 3 % 2 == 0;
    EXPECT_EQ(first.target, ours_first ? 0 : first.reference);
    EXPECT_EQ(second.target, ours_first ? first.reference : 0);
  }
}

}  // namespace
