#pragma once
// The submission queue (SQ): a single-producer ring of SQEs in memory shared with the kernel.
// We write SQEs and move the tail; the kernel reads them and moves the head.
//
// This is an algorithm on pointers. There is no system call in it and no knowledge of where the
// memory came from, so a test can build one over plain arrays and play the kernel's side.
//
//      head (kernel's)      tail_ published        tail_ local
//        |                        |                     |
//   ...  [ taken next ] ... [    last ] [ filled, unseen ] ...
//
// What must hold:
//  - Indices run freely through 2^32 and are masked only to find a slot. `tail - head` is the fill
//    level even when tail has wrapped and head has not, because the arithmetic is modulo 2^32 and
//    the queue is never longer than 2^15.
//  - A slot between head and the published tail belongs to the kernel.
//  - The tail is published once per submit, after every SQE behind it is complete.
//  - A chain of links is published whole or not at all: the kernel ends a chain at the end of a
//    submit, so links that straddle two submits silently stop being linked.
//
// Where the kernel's half of each barrier stands: io_uring/io_uring.c, io_get_sqe() and
// io_sqring_entries() load the tail with acquire; io_commit_sqring() stores the head with release.

#include <atomic>
#include <cstdint>

#include "common/base/check.hpp"
#include "common/support/trace.hpp"
#include "common/uring/uapi.hpp"

namespace uring {

// The words and arrays of one SQ. They must outlive the queue. `array` is the indirection table
// between ring slots and SQEs, null on a ring made with IORING_SETUP_NO_SQARRAY (6.6).
struct SqPointers {
  std::uint32_t* head = nullptr;     // written by the kernel
  std::uint32_t* tail = nullptr;     // written by us
  std::uint32_t* flags = nullptr;    // written by the kernel: IORING_SQ_*
  std::uint32_t* dropped = nullptr;  // written by the kernel: invalid indices in `array`
  std::uint32_t* array = nullptr;    // written by us, once
  io_uring_sqe* sqes = nullptr;      // written by us
  std::uint32_t entries = 0;         // a power of two
};

class SubmissionQueue {
 public:
  // `trace` may be null. The queue starts at the indices that the shared words hold.
  SubmissionQueue(const SqPointers& pointers, support::Trace* trace);

  // A zeroed SQE to fill, or null when the queue is full: then submit, and ask again. The SQE is
  // ours until the next publish(). Inside a chain its IOSQE_IO_LINK bit is set already, so write
  // `flags` with |=.
  // [snippet: sq_next_sqe]
  [[nodiscard]] io_uring_sqe* next_sqe() {
    if (local_tail_ - cached_head_ == entries_) {
      refresh_head();
      if (local_tail_ - cached_head_ == entries_) {
        return nullptr;
      }
    }
    io_uring_sqe* sqe = &sqes_[local_tail_ & mask_];
    *sqe = io_uring_sqe{};
    if (chain_left_ > 0) {
      if (--chain_left_ > 0) {
        sqe->flags = chain_link_flag_;
      }
    }
    ++local_tail_;
    return sqe;
  }
  // [/snippet]

  // Announces a chain: the next `length` SQEs are linked, each to the one after it, with `link_flag`
  // (IOSQE_IO_LINK, or IOSQE_IO_HARDLINK: go on after a failure). False when they do not fit
  // before the next submit; nothing has changed then. `length` is at least 1.
  [[nodiscard]] bool begin_chain(std::uint32_t length, std::uint8_t link_flag = IOSQE_IO_LINK);

  // Makes every SQE handed out so far visible to the kernel. Returns how many the kernel has not
  // taken yet: what `to_submit` of io_uring_enter should say. Aborts inside an unfinished chain.
  // [snippet: sq_publish]
  std::uint32_t publish() {
    CHECK(chain_left_ == 0, "a chain of links must not straddle two submits");
    if (trace_ != nullptr) [[unlikely]] {
      trace_prepared();
    }
    // BARRIER: release, pairs with the kernel's load-acquire of the tail. Everything written
    // before it (the SQEs) is visible to whoever sees the new tail. A relaxed store would let the
    // SQPOLL thread, on another CPU, read an index whose SQE is still on its way; a seq_cst store
    // would cost a full fence and order nothing more here.
    tail().store(local_tail_, std::memory_order_release);
    published_tail_ = local_tail_;
    refresh_head();
    return local_tail_ - cached_head_;
  }
  // [/snippet]

  // For SQPOLL rings, after publish(): whether the kernel's thread went to sleep and must be woken
  // by an enter with IORING_ENTER_SQ_WAKEUP.
  // [snippet: sq_needs_wakeup]
  [[nodiscard]] bool needs_wakeup() const {
    // BARRIER: the one full fence of this project. We store the tail and then load the flags; the
    // kernel thread sets NEED_WAKEUP, executes a full fence, and then looks at the tail one last
    // time. Each side must see the other's store or the SQE waits for a thread that sleeps.
    // A store followed by a load of another word is the one reordering that acquire and release
    // allow, on x86 too (the store buffer), so nothing less than seq_cst on both sides will do.
    full_fence();
    return (load_flags() & IORING_SQ_NEED_WAKEUP) != 0;
  }
  // [/snippet]

  // The kernel holds completions that did not fit into the CQ (IORING_SQ_CQ_OVERFLOW, 5.8 in this
  // word): reap what is there, then enter with GETEVENTS to have them flushed.
  [[nodiscard]] bool cq_overflowed() const { return (load_flags() & IORING_SQ_CQ_OVERFLOW) != 0; }

  // Task work waits for us to enter the kernel (only with IORING_SETUP_TASKRUN_FLAG, 5.19).
  [[nodiscard]] bool taskrun_pending() const { return (load_flags() & IORING_SQ_TASKRUN) != 0; }

  // Free slots, as far as we know: the kernel may have taken more by now.
  [[nodiscard]] std::uint32_t space_left() {
    refresh_head();
    return entries_ - (local_tail_ - cached_head_);
  }

  // SQEs handed out since the last publish().
  [[nodiscard]] std::uint32_t unpublished() const { return local_tail_ - published_tail_; }

  // SQEs that the kernel has not taken, published or not.
  [[nodiscard]] std::uint32_t pending() {
    refresh_head();
    return local_tail_ - cached_head_;
  }

  // Indices in `array` that were out of range. Stays 0: we write the array once, correctly.
  [[nodiscard]] std::uint32_t dropped() const {
    return std::atomic_ref(*pointers_.dropped).load(std::memory_order_relaxed);
  }

  [[nodiscard]] std::uint32_t entries() const { return entries_; }
  [[nodiscard]] std::uint32_t local_tail() const { return local_tail_; }
  // The shared words as they are now, and the SQE in the slot of a free-running index: for a dump
  // that consumes nothing.
  [[nodiscard]] std::uint32_t shared_head() const { return head().load(std::memory_order_acquire); }
  [[nodiscard]] std::uint32_t shared_tail() const { return tail().load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint32_t flags() const { return load_flags(); }
  [[nodiscard]] const io_uring_sqe& sqe_at(std::uint32_t index) const {
    return sqes_[index & mask_];
  }

 private:
  [[nodiscard]] std::atomic_ref<std::uint32_t> head() const {
    return std::atomic_ref(*pointers_.head);
  }
  [[nodiscard]] std::atomic_ref<std::uint32_t> tail() const {
    return std::atomic_ref(*pointers_.tail);
  }

  // [snippet: sq_refresh_head]
  void refresh_head() {
    // BARRIER: acquire, pairs with the kernel's store-release of the head, which says "I have
    // copied these SQEs, write over them". Without it our next write into a slot could become
    // visible before the kernel thread's read of its old contents. Only SQPOLL runs beside us;
    // on other rings the kernel moves the head inside our own enter call, where program order is
    // enough. One order for both keeps one code path: on x86 it costs nothing, on ARM an ldar.
    const std::uint32_t seen = head().load(std::memory_order_acquire);
    if (trace_ != nullptr && seen != cached_head_) [[unlikely]] {
      trace_->record(support::TraceKind::SqHead, 0, seen, 0);
    }
    cached_head_ = seen;
  }
  // [/snippet]

  [[nodiscard]] std::uint32_t load_flags() const {
    // Relaxed: the bits say "go and enter the kernel", and the system call orders what follows.
    return std::atomic_ref(*pointers_.flags).load(std::memory_order_relaxed);
  }

  void full_fence() const;
  void trace_prepared();

  // Ours alone, never shared.
  io_uring_sqe* sqes_;
  std::uint32_t entries_;
  std::uint32_t mask_;
  std::uint32_t local_tail_;      // one past the last SQE handed out
  std::uint32_t published_tail_;  // what the shared tail holds
  std::uint32_t cached_head_;     // the kernel's head when we last looked
  std::uint32_t chain_left_ = 0;  // SQEs still to come of the chain begun
  std::uint8_t chain_link_flag_ = 0;
  support::Trace* trace_;

  // Shared with the kernel.
  SqPointers pointers_;
};

}  // namespace uring
