#pragma once
// What the tests of the event loop start from: an application whose handlers a test fills in, and
// the kinds of rings that each behaviour is tested on.

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "common/loop/event_loop.hpp"
#include "common/uring/features.hpp"
#include "common/uring/ring.hpp"

namespace loop_test {

using loop::EventLoop;
using loop::OpId;
using uring::io_uring_cqe;

// A LoopApplication: each handler calls what the test has put in its place.
struct Application {
  static constexpr std::uint32_t kMaxSqesPerHandler = 3;

  std::function<void(OpId, const io_uring_cqe&)> completion = [](OpId, const io_uring_cqe&) {};
  std::function<void(OpId, const io_uring_cqe&)> stale = [](OpId, const io_uring_cqe&) {};
  std::function<void(std::uint32_t)> slot_free = [](std::uint32_t) {};
  std::function<void(std::uint64_t, std::uint64_t)> timer = [](std::uint64_t, std::uint64_t) {};
  std::function<void(int)> signal = [](int) {};
  std::function<void()> wait = [] {};
  bool done = false;

  void on_completion(OpId id, const io_uring_cqe& cqe) { completion(id, cqe); }
  void on_stale(OpId id, const io_uring_cqe& cqe) { stale(id, cqe); }
  void on_slot_free(std::uint32_t slot) { slot_free(slot); }
  void on_timer(std::uint64_t payload, std::uint64_t deadline_ns) { timer(payload, deadline_ns); }
  void on_signal(int number) { signal(number); }
  void before_wait() { wait(); }
  [[nodiscard]] bool finished() const { return done; }
};

// The features that a kernel newer than 5.10 brought.
inline uring::FeatureMask newer_than_5_10() {
  uring::FeatureMask mask;
  for (const uring::FeatureInfo& row : uring::feature_table()) {
    const std::string since = row.since;
    const std::size_t dot = since.find('.');
    const int major = std::atoi(since.substr(0, dot).c_str());
    const int minor = std::atoi(since.substr(dot + 1).c_str());
    mask.set(static_cast<std::size_t>(row.feature), major > 5 || (major == 5 && minor > 10));
  }
  return mask;
}

// A kind of ring to test on.
struct RingKind {
  const char* name;
  std::uint32_t setup_flags;
  bool only_5_10 = false;                    // with every newer feature masked
  std::optional<uring::Feature> needs = {};  // skipped without it
};

inline constexpr RingKind kPlain{.name = "Plain", .setup_flags = 0};
inline constexpr RingKind kCoop{
    .name = "Coop",
    .setup_flags = uring::IORING_SETUP_COOP_TASKRUN | uring::IORING_SETUP_TASKRUN_FLAG,
    .needs = uring::Feature::CoopTaskrun};
inline constexpr RingKind kDefer{
    .name = "Defer",
    .setup_flags = uring::IORING_SETUP_SINGLE_ISSUER | uring::IORING_SETUP_DEFER_TASKRUN,
    .needs = uring::Feature::DeferTaskrun};
inline constexpr RingKind kSqpoll{
    .name = "Sqpoll", .setup_flags = uring::IORING_SETUP_SQPOLL, .needs = uring::Feature::Sqpoll};
// The same flags are wished for as in kDefer: masked, they must not reach the kernel.
inline constexpr RingKind kAs510{
    .name = "As510",
    .setup_flags = uring::IORING_SETUP_SINGLE_ISSUER | uring::IORING_SETUP_DEFER_TASKRUN,
    .only_5_10 = true};

inline auto all_ring_kinds() {
  return testing::Values(kPlain, kCoop, kDefer, kSqpoll, kAs510);
}
// For what 5.10 does not have. A submit or a wait of theirs has begun every request when it returns.
inline auto new_ring_kinds() {
  return testing::Values(kPlain, kCoop, kDefer);
}

inline std::string name_of(const testing::TestParamInfo<RingKind>& kind) {
  return kind.param.name;
}

class LoopTest : public testing::TestWithParam<RingKind> {
 protected:
  LoopTest() {
    const char* disabled = std::getenv("URING_DISABLE");
    uring::FeatureMask mask =
        uring::parse_feature_mask(disabled != nullptr ? disabled : "").value();
    if (GetParam().only_5_10) {
      mask |= newer_than_5_10();
    }
    const auto detected = uring::Features::detect(mask);
    CHECK(detected.has_value(), "io_uring is denied here: `m1_sq_cq features` says by whom");
    features_ = *detected;
  }

  void SetUp() override {
    const auto needs = GetParam().needs;
    if (needs && !features_->has(*needs)) {
      GTEST_SKIP() << "this kernel lacks " << uring::info(*needs).name << " (Linux "
                   << uring::info(*needs).since << ")";
    }
  }

  [[nodiscard]] const uring::Features& features() const { return *features_; }

  [[nodiscard]] uring::Ring make_ring(std::uint32_t sq_entries, std::uint32_t cq_entries = 0) {
    auto ring = uring::Ring::create(
        {.sq_entries = sq_entries, .cq_entries = cq_entries, .setup_flags = GetParam().setup_flags},
        *features_);
    CHECK(ring.has_value(), "a ring could not be set up");
    CHECK(!GetParam().only_5_10 || ring->setup_flags() == uring::IORING_SETUP_CQSIZE,
          "no masked flag may reach the kernel");
    return std::move(*ring);
  }

 private:
  std::optional<uring::Features> features_;
};

// Arms a NOP, with room made for it.
inline void arm_nop(EventLoop& loop, std::uint32_t slot, std::uint8_t kind, std::uint16_t aux = 0) {
  CHECK(loop.make_room(1).has_value());
  uring::prep_nop(loop.arm(slot, kind, aux));
}

}  // namespace loop_test
