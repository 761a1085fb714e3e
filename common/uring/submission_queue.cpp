#include "common/uring/submission_queue.hpp"

#include <bit>

namespace uring {

SubmissionQueue::SubmissionQueue(const SqPointers& pointers, support::Trace* trace)
    : sqes_(pointers.sqes),
      entries_(pointers.entries),
      mask_(pointers.entries - 1),
      local_tail_(*pointers.tail),
      published_tail_(*pointers.tail),
      cached_head_(*pointers.head),
      trace_(trace),
      pointers_(pointers) {
  CHECK(std::has_single_bit(entries_), "the kernel rounds ring sizes up to a power of two");
  // The array lets an application submit SQEs in another order than it wrote them. Nobody needs
  // that, so slot i names SQE i for ever and the array is never touched again.
  if (pointers_.array != nullptr) {
    for (std::uint32_t i = 0; i < entries_; ++i) {
      pointers_.array[i] = i;
    }
  }
}

bool SubmissionQueue::begin_chain(std::uint32_t length, std::uint8_t link_flag) {
  CHECK(chain_left_ == 0, "chains do not nest");
  CHECK(length > 0 && length <= entries_, "a chain must fit into the queue");
  if (space_left() < length) {
    return false;
  }
  chain_left_ = length;
  chain_link_flag_ = link_flag;
  return true;
}

// GCC says with a macro that ThreadSanitizer is on, clang with a feature.
#if defined(__has_feature)
#define MILESTONES_CLANG_TSAN __has_feature(thread_sanitizer)
#else
#define MILESTONES_CLANG_TSAN 0
#endif

// [snippet: sq_full_fence]
void SubmissionQueue::full_fence() const {
#if defined(__SANITIZE_THREAD__) || MILESTONES_CLANG_TSAN
  // ThreadSanitizer does not model fences: a read-modify-write of the tail that changes nothing,
  // seq_cst like the fence, is what it can follow.
  tail().fetch_add(0, std::memory_order_seq_cst);
#else
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}
// [/snippet]

void SubmissionQueue::trace_prepared() {
  for (std::uint32_t index = published_tail_; index != local_tail_; ++index) {
    const io_uring_sqe& sqe = sqe_at(index);
    trace_->record(support::TraceKind::SqePrepared, sqe.user_data,
                   static_cast<std::uint32_t>(sqe.fd), index & mask_, sqe.flags, sqe.opcode);
  }
  if (published_tail_ != local_tail_) {
    trace_->record(support::TraceKind::SqTail, 0, local_tail_, local_tail_ - published_tail_);
  }
}

}  // namespace uring
