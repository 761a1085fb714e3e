#pragma once
// One io_uring: its descriptor, its mapped memory, its two queues, and the system call between them.
//
// The order of work is always the same:
//   next_sqe() -> fill it (prep.hpp, user_data) -> submit...() -> reap() -> handle -> again.
//
// A Ring is owned by one thread, which makes every call on it. It may move before its first use,
// never after register_ring_fd() or with DEFER_TASKRUN once another thread has entered it.
//
// What must hold:
//  - Memory that an SQE points to (buffers, iovecs, addresses) stays alive until its CQE has been
//    reaped: the kernel copies the SQE and small arguments at submission, never the data.
//  - user_data values whose upper 32 bits are all ones belong to this class (its wait timeouts on
//    kernels without EXT_ARG, its legacy buffer requests): reap() swallows those completions.

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "common/base/errno.hpp"
#include "common/base/unique_fd.hpp"
#include "common/support/trace.hpp"
#include "common/uring/completion_queue.hpp"
#include "common/uring/features.hpp"
#include "common/uring/mapping.hpp"
#include "common/uring/submission_queue.hpp"
#include "common/uring/syscalls.hpp"
#include "common/uring/uapi.hpp"

namespace uring {

struct RingOptions {
  std::uint32_t sq_entries = 64;  // 1 .. 32768; the kernel rounds up to a power of two
  std::uint32_t cq_entries = 0;   // 0: twice the SQ; else sq_entries .. 65536, rounded up as well
  // IORING_SETUP_* that are wished for: those that the kernel does not have (or that are masked)
  // are left out, and setup_flags() tells what remained. CQSIZE and NO_SQARRAY are added by create().
  std::uint32_t setup_flags = 0;
  std::uint32_t sq_thread_idle_ms = 0;  // SQPOLL: how long the thread spins; 0: a second
  std::optional<std::uint32_t> sq_thread_cpu = {};  // SQPOLL: pin the thread (IORING_SETUP_SQ_AFF)
  support::Trace* trace = nullptr;                  // null: off. Must outlive the ring.
};

// How long submit_and_wait() may wait.
struct WaitOptions {
  std::uint32_t wait_nr = 1;     // completions to wait for
  std::int64_t timeout_ns = -1;  // relative; -1: for ever
  // With fewer than wait_nr completions: settle for at least one once this time is over, and without
  // a timeout for none, which is ETIME (Linux 6.12, Feature::MinWait; ignored without it). 0: off.
  std::uint32_t min_wait_us = 0;
};

class Ring {
 public:
  // EINVAL: sizes out of range, or flags that do not go together. EPERM, ENOSYS: io_uring is
  // denied: see denied.hpp. ENOMEM, EMFILE, ENFILE.
  [[nodiscard]] static base::Result<Ring> create(const RingOptions& options,
                                                 const Features& features);

  Ring(Ring&& other) noexcept;
  Ring& operator=(Ring&&) = delete;
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  // Closes the descriptor and unmaps. The kernel cancels what is still in flight, asynchronously:
  // buffers must not be freed right after it. A program that must know cancels and reaps first.
  ~Ring();

  // --- submission -------------------------------------------------------------------------------

  // A zeroed SQE, or null when the SQ is full. See SubmissionQueue::next_sqe().
  [[nodiscard]] io_uring_sqe* next_sqe() { return sq_.next_sqe(); }

  // Makes room for `count` SQEs (at most the SQ's size), submitting what is there if need be. Call
  // it before begin_chain(), or where null is no option. EBUSY, EAGAIN: the kernel takes nothing
  // until completions have been reaped. ENOSPC: it took some, but not enough.
  [[nodiscard]] base::Result<void> make_room(std::uint32_t count);

  // Publishes and submits everything prepared, without waiting. Returns how many SQEs the kernel
  // took; the rest stays and goes with the next call (a bad SQE stops a submit without SUBMIT_ALL).
  // With SQPOLL it returns how many the kernel's thread has yet to take, and enters only to wake it.
  // EINTR, EAGAIN, EBUSY: nothing was taken, call again. EBADR: completions were really lost.
  // EEXIST: not the owner's thread (SINGLE_ISSUER).
  [[nodiscard]] base::Result<std::uint32_t> submit();

  // The same and, in the same system call, waits for `wait_nr` completions or a limit. Returns the
  // number submitted: how many completions there are, only the CQ says. The wait ends early when an
  // IORING_OP_TIMEOUT of any kind completes while it lasts.
  // ETIME, EINTR: the wait ended so, and nothing was submitted. EINTR comes even with SA_RESTART.
  [[nodiscard]] base::Result<std::uint32_t> submit_and_wait(std::uint32_t wait_nr);
  [[nodiscard]] base::Result<std::uint32_t> submit_and_wait(const WaitOptions& options);

  // Enters only to let the kernel post what it holds back: deferred task work (DEFER_TASKRUN) and
  // overflowed completions, one CQ-full at a time. Never waits.
  [[nodiscard]] base::Result<void> get_events();

  // --- completion -------------------------------------------------------------------------------

  // Copies up to `out.size()` completions and gives their slots back. When the CQ has run empty but
  // the kernel holds more (IORING_SQ_CQ_OVERFLOW), has them flushed and goes on. Returns how many.
  [[nodiscard]] std::uint32_t reap(std::span<io_uring_cqe> out);

  // --- the ring itself --------------------------------------------------------------------------

  // Makes io_uring_enter use an index instead of the descriptor, which saves the kernel a file
  // lookup per call. For the calling thread only. Without Feature::RegisteredRing: does nothing.
  [[nodiscard]] base::Result<void> register_ring_fd();

  // Starts a ring set up with IORING_SETUP_R_DISABLED; the calling thread becomes its owner.
  [[nodiscard]] base::Result<void> enable();

  // io_uring_register(2) on this ring. The result's meaning is the opcode's.
  [[nodiscard]] base::Result<int> register_op(std::uint32_t opcode, const void* argument,
                                              std::uint32_t count);

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] bool uses_registered_fd() const { return enter_flags_ != 0; }
  // What the kernel answered at setup: sizes, offsets, features.
  [[nodiscard]] const io_uring_params& params() const { return params_; }
  [[nodiscard]] std::uint32_t setup_flags() const { return params_.flags; }
  [[nodiscard]] const RingMapping& mapping() const { return mapping_; }
  [[nodiscard]] SubmissionQueue& sq() { return sq_; }
  [[nodiscard]] CompletionQueue& cq() { return cq_; }
  [[nodiscard]] support::Trace* trace() const { return trace_; }
  // How often reap() found the overflow flag and had completions flushed.
  [[nodiscard]] std::uint64_t overflow_flushes() const { return overflow_flushes_; }

  // A user_data for a request whose completion nobody waits for: reap() swallows it and counts it
  // in internal_failures() if it failed.
  static constexpr std::uint64_t kInternalUserData = 0xffff'ffff'0000'0000;
  [[nodiscard]] std::uint64_t internal_failures() const { return internal_failures_; }

 private:
  Ring(base::UniqueFd fd, const io_uring_params& params, RingMapping mapping,
       const Features& features, support::Trace* trace);

  [[nodiscard]] bool has_flag(std::uint32_t flag) const { return (params_.flags & flag) != 0; }
  [[nodiscard]] base::Result<std::uint32_t> enter(std::uint32_t to_submit,
                                                  std::uint32_t min_complete, std::uint32_t flags,
                                                  const io_uring_getevents_arg* argument = nullptr);
  [[nodiscard]] base::Result<std::uint32_t> traced_enter(std::uint32_t to_submit,
                                                         std::uint32_t min_complete,
                                                         std::uint32_t flags,
                                                         const io_uring_getevents_arg* argument);
  // to_submit and flags for the SQEs prepared so far.
  [[nodiscard]] std::uint32_t publish(std::uint32_t& flags);
  [[nodiscard]] base::Result<std::uint32_t> wait_with_timeout_request(const WaitOptions& options);
  [[nodiscard]] std::uint32_t drop_internal(std::span<io_uring_cqe> cqes);

  base::UniqueFd fd_;
  io_uring_params params_;
  RingMapping mapping_;
  SubmissionQueue sq_;
  CompletionQueue cq_;
  support::Trace* trace_;

  int enter_fd_;                     // the descriptor, or its registered index
  std::uint32_t enter_flags_ = 0;    // IORING_ENTER_REGISTERED_RING with an index
  std::uint32_t wait_timeouts_ = 0;  // numbers the TIMEOUT requests of waits without EXT_ARG
  bool has_ext_arg_;
  bool has_min_wait_;
  bool has_registered_ring_;
  std::uint64_t overflow_flushes_ = 0;
  std::uint64_t internal_failures_ = 0;
};

// --- the way into the kernel: inline, for the reason given at sys::io_uring_enter() ---------------

inline base::Result<std::uint32_t> Ring::enter(std::uint32_t to_submit, std::uint32_t min_complete,
                                               std::uint32_t flags,
                                               const io_uring_getevents_arg* argument) {
  flags |= enter_flags_;
  if (trace_ != nullptr) [[unlikely]] {
    return traced_enter(to_submit, min_complete, flags, argument);
  }
  return sys::io_uring_enter(enter_fd_, to_submit, min_complete, flags, argument,
                             argument != nullptr ? sizeof *argument : 0);
}

inline std::uint32_t Ring::publish(std::uint32_t& flags) {
  const std::uint32_t to_submit = sq_.publish();
  if (has_flag(IORING_SETUP_SQPOLL) && sq_.needs_wakeup()) {
    flags |= IORING_ENTER_SQ_WAKEUP;
  }
  return to_submit;
}

inline base::Result<std::uint32_t> Ring::submit() {
  std::uint32_t flags = 0;
  const std::uint32_t to_submit = publish(flags);
  // An awake SQPOLL thread sees the tail by itself: the whole point of it is not to enter.
  if (has_flag(IORING_SETUP_SQPOLL) && flags == 0) {
    return to_submit;
  }
  if (to_submit == 0) {
    return 0U;
  }
  return enter(to_submit, 0, flags);
}

inline base::Result<std::uint32_t> Ring::submit_and_wait(std::uint32_t wait_nr) {
  std::uint32_t flags = IORING_ENTER_GETEVENTS;
  const std::uint32_t to_submit = publish(flags);
  return enter(to_submit, wait_nr, flags);
}

}  // namespace uring
