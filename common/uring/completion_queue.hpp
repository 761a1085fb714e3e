#pragma once
// The completion queue (CQ): a single-consumer ring of CQEs in memory shared with the kernel.
// The kernel writes CQEs and moves the tail; we read them and move the head.
//
// Like the SQ this is an algorithm on pointers, testable over plain arrays.
//
// What must hold:
//  - A slot between head and tail is ours to read. Once the head has moved past it the kernel may
//    overwrite it at any moment: copy what is needed first. copy_out() does, so that a handler
//    never works on a ring slot.
//  - A full CQ loses nothing on Linux 5.5 and newer (IORING_FEAT_NODROP): what does not fit waits
//    in the kernel and IORING_SQ_CQ_OVERFLOW is set in the *SQ's* flags. The counter overflow()
//    here counts real loss, when the kernel had no memory left to keep a completion.
//
// Where the kernel's half of each barrier stands: io_uring/io_uring.c, io_commit_cqring() stores
// the tail with release; io_cqe_cache_refill() reads our head behind a control dependency.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <span>

#include "common/base/check.hpp"
#include "common/support/trace.hpp"
#include "common/uring/uapi.hpp"

namespace uring {

// The words and the array of one CQ. They must outlive the queue.
struct CqPointers {
  std::uint32_t* head = nullptr;      // written by us
  std::uint32_t* tail = nullptr;      // written by the kernel
  std::uint32_t* overflow = nullptr;  // written by the kernel: completions really lost
  io_uring_cqe* cqes = nullptr;       // written by the kernel
  std::uint32_t entries = 0;          // a power of two
};

class CompletionQueue {
 public:
  // `trace` may be null. The queue starts at the indices that the shared words hold.
  CompletionQueue(const CqPointers& pointers, support::Trace* trace);

  // How many CQEs are there to read now.
  [[nodiscard]] std::uint32_t ready() const { return load_tail() - local_head_; }

  // The `i`-th unread CQE, i < ready(). A ring slot: valid until advance() passes it.
  [[nodiscard]] const io_uring_cqe& at(std::uint32_t i) const {
    return cqes_[(local_head_ + i) & mask_];
  }

  // Gives the first `count` unread slots back to the kernel. `count` <= ready().
  // [snippet: cq_advance]
  void advance(std::uint32_t count) {
    local_head_ += count;
    // BARRIER: release, pairs with the kernel's read of the head before it fills a slot again. Our
    // reads of the CQEs come before the store; were it relaxed, a CPU could still be reading a CQE
    // that the kernel already writes over.
    std::atomic_ref(*pointers_.head).store(local_head_, std::memory_order_release);
    if (trace_ != nullptr) [[unlikely]] {
      trace_->record(support::TraceKind::CqHead, 0, local_head_, count);
    }
  }
  // [/snippet]

  // Copies up to `out.size()` CQEs and releases their slots with a single store of the head.
  // Returns how many. Zero: nothing was there, nothing was stored.
  // [snippet: cq_copy_out]
  std::uint32_t copy_out(std::span<io_uring_cqe> out) {
    const std::uint32_t tail = load_tail();
    const std::uint32_t count =
        std::min(tail - local_head_, static_cast<std::uint32_t>(out.size()));
    if (count == 0) {
      return 0;
    }
    for (std::uint32_t i = 0; i < count; ++i) {
      out[i] = at(i);
    }
    if (trace_ != nullptr) [[unlikely]] {
      trace_reaped(tail, out.first(count));
    }
    advance(count);
    return count;
  }
  // [/snippet]

  // Completions that the kernel had to throw away. 0 unless it ran out of memory.
  [[nodiscard]] std::uint32_t overflow() const {
    return std::atomic_ref(*pointers_.overflow).load(std::memory_order_relaxed);
  }

  [[nodiscard]] std::uint32_t entries() const { return mask_ + 1; }
  // The shared words as they are now: for a dump that consumes nothing.
  [[nodiscard]] std::uint32_t shared_head() const {
    return std::atomic_ref(*pointers_.head).load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint32_t shared_tail() const { return load_tail(); }

 private:
  // [snippet: cq_load_tail]
  [[nodiscard]] std::uint32_t load_tail() const {
    // BARRIER: acquire, pairs with the kernel's store-release of the tail after it filled the
    // CQEs. Seeing the new tail, we see their contents. A relaxed load would let the CPU (or the
    // compiler) read a slot before the tail that vouches for it.
    return std::atomic_ref(*pointers_.tail).load(std::memory_order_acquire);
  }
  // [/snippet]
  void trace_reaped(std::uint32_t tail, std::span<const io_uring_cqe> cqes);

  // Ours alone, never shared.
  io_uring_cqe* cqes_;
  std::uint32_t mask_;
  std::uint32_t local_head_;  // what the shared head holds
  support::Trace* trace_;

  // Shared with the kernel.
  CqPointers pointers_;
};

}  // namespace uring
