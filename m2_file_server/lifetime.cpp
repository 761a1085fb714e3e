#include "m2_file_server/lifetime.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "common/support/options.hpp"
#include "common/uring/features.hpp"
#include "m2_file_server/lifetime_steps.hpp"

namespace file_server {

namespace {

constexpr int kExitFailed = 1;
constexpr int kExitCannotStart = 2;

constexpr bool (*kSteps[])(Stage&) = {
    one_buffer_for_two_reads,
    buffer_changed_under_a_send,
    memory_that_is_gone,
    cancel_answered_is_not_the_end,
    close_is_not_the_end,
    file_named_by_its_place,
    the_cure,
};

}  // namespace

int run_lifetime(int argc, char** argv) {
  const support::Options options("m2_file_server lifetime",
                                 "Corrupts data on purpose, in seven steps, to show how long a "
                                 "buffer is the kernel's: from the "
                                 "SQE to its CQE.",
                                 {});
  if (const auto exit_status = options.parse_main(argc, argv)) {
    return *exit_status;
  }
  const auto features = uring::detect_features_or_explain();
  if (!features) {
    std::fprintf(stderr, "m2_file_server lifetime: %s\n", features.error().c_str());
    return kExitCannotStart;
  }
  // Line by line, also into a pipe: under strace the story and the system calls stay in order.
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  std::printf(
      "lifetime: a buffer is the kernel's until the CQE\n"
      "================================================\n");
  Story story;
  auto ring = uring::Ring::create({.sq_entries = 8}, *features);
  if (!ring) {
    story.cannot("set up a ring", ring.error());
    return kExitFailed;
  }
  Stage stage(story, std::move(*ring));
  // A step that failed may have left requests behind, which would confuse the next.
  const bool all_ran = std::ranges::all_of(kSteps, [&](auto step) { return step(stage); });
  return all_ran && story.holds() ? 0 : kExitFailed;
}

}  // namespace file_server
