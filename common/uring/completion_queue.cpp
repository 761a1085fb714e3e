#include "common/uring/completion_queue.hpp"

#include <bit>

namespace uring {

CompletionQueue::CompletionQueue(const CqPointers& pointers, support::Trace* trace)
    : cqes_(pointers.cqes),
      mask_(pointers.entries - 1),
      local_head_(*pointers.head),
      trace_(trace),
      pointers_(pointers) {
  CHECK(std::has_single_bit(pointers.entries), "the kernel rounds ring sizes up to a power of two");
}

void CompletionQueue::trace_reaped(std::uint32_t tail, std::span<const io_uring_cqe> cqes) {
  trace_->record(support::TraceKind::CqTail, 0, tail, 0);
  for (const io_uring_cqe& cqe : cqes) {
    trace_->record(support::TraceKind::Cqe, cqe.user_data, static_cast<std::uint32_t>(cqe.res),
                   cqe.flags);
  }
}

}  // namespace uring
