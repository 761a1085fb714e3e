// One function per queue access that carries a memory order, so that check_barriers can look at the
// instructions that the compiler made of each. Compiled, never run.

#include <array>
#include <cstdint>

#include "common/uring/completion_queue.hpp"
#include "common/uring/submission_queue.hpp"

extern "C" {

std::uint32_t probe_sq_publish(uring::SubmissionQueue& sq) {
  return sq.publish();
}

std::uint32_t probe_sq_space_left(uring::SubmissionQueue& sq) {
  return sq.space_left();
}

bool probe_sq_needs_wakeup(const uring::SubmissionQueue& sq) {
  return sq.needs_wakeup();
}

std::uint32_t probe_cq_ready(const uring::CompletionQueue& cq) {
  return cq.ready();
}

void probe_cq_advance(uring::CompletionQueue& cq) {
  cq.advance(1);
}

std::uint32_t probe_cq_copy_out(uring::CompletionQueue& cq,
                                std::array<uring::io_uring_cqe, 8>& out) {
  return cq.copy_out(out);
}

}  // extern "C"
