#include "common/loop/event_loop.hpp"

#include <utility>

namespace loop {
namespace {

// What an enter may fail with and succeed the next time: see EventLoop::submit_and_wait().
bool passes(base::Errno error) {
  return error.value == EINTR || error.value == EAGAIN || error.value == EBUSY;
}

}  // namespace

base::Result<void> EventLoop::make_room(std::uint32_t count) {
  while (ring_.sq().space_left() < count) {
    const auto room = ring_.make_room(count);
    if (room) {
      break;
    }
    switch (room.error().value) {
      case EINTR:
        break;
      case EAGAIN:
      case EBUSY:
      case ENOSPC: {
        // The kernel takes nothing before completions have been reaped (5.10 with a backlog, which an
        // SQPOLL ring shows as an SQ that stays full). Handlers must not run here, so the completions
        // are held until the present one has returned.
        ++counters_.refused_submits;
        std::array<uring::io_uring_cqe, kBatch> cqes;
        const std::uint32_t moved = ring_.reap(cqes);
        held_.insert(held_.end(), cqes.begin(), cqes.begin() + moved);
        break;
      }
      default:
        return room;
    }
  }
  return {};
}

std::uint32_t EventLoop::reap(std::span<uring::io_uring_cqe> out) {
  if (held_.empty()) [[likely]] {
    return ring_.reap(out);
  }
  const std::size_t count = std::min(held_.size(), out.size());
  std::copy_n(held_.begin(), count, out.begin());
  held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(count));
  return static_cast<std::uint32_t>(count);
}

base::Result<void> EventLoop::submit_and_wait() {
  uring::WaitOptions wait = std::exchange(wait_, {});
  if (!held_.empty()) {
    wait.wait_nr = 0;
  }
  if (const auto deadline = timers_.next_deadline()) {
    const std::uint64_t now = support::now_ns();
    wait.timeout_ns = *deadline > now ? static_cast<std::int64_t>(*deadline - now) : 0;
    // KERNEL: a timeout ends no wait for a batch, only what is waited for behind it.
    wait.min_wait_us = static_cast<std::uint32_t>(
        std::min<std::int64_t>(wait.min_wait_us, wait.timeout_ns / 1000));
  }
  const auto entered = ring_.submit_and_wait(wait);
  if (entered) {
    return {};
  }
  switch (entered.error().value) {
    case ETIME:  // the timer's time
      return {};
    case EINTR:  // a signal that we do not collect, or a debugger
      ++counters_.interrupted;
      return {};
    case EAGAIN:  // out of memory for requests, for now
    case EBUSY:   // a backlog of completions: reap first
      ++counters_.refused_submits;
      return {};
    default:
      return base::fail(entered.error());
  }
}

// The ring polls and does not read: before Linux 5.12 io-wq's workers were kernel threads of their
// own, and a read that the ring hands to one waits for signals of the worker, not of the process.
// A poll waits in the context of the task that submitted it on every kernel. On an SQPOLL ring that is
// the kernel's thread, to which a signal sent to the process is visible (kill(1), a terminal, a
// service manager), but not one that was sent to a single thread of ours.
base::Result<void> EventLoop::arm_signals() {
  if (signals_ == nullptr) {
    return {};
  }
  if (const auto room = make_room(1); !room) {
    return room;
  }
  uring::io_uring_sqe* sqe = ring_.next_sqe();
  uring::prep_poll_add(*sqe, signals_->fd(), POLLIN);
  sqe->user_data = pack({.kind = kSignalKind});
  signals_armed_ = true;
  return {};
}

base::Result<void> EventLoop::disarm_signals() {
  if (!signals_armed_) {
    return {};
  }
  if (const auto room = make_room(1); !room) {
    return room;
  }
  uring::io_uring_sqe* sqe = ring_.next_sqe();
  uring::prep_cancel(*sqe, pack({.kind = kSignalKind}), 0);
  sqe->user_data = pack({.kind = kCancelKind});
  // Until both the cancel and its target have completed: only then may the signalfd go.
  for (std::uint32_t left = 2; left > 0;) {
    const auto waited = ring_.submit_and_wait(1);
    if (!waited && !passes(waited.error())) {
      return base::fail(waited.error());
    }
    std::array<uring::io_uring_cqe, kBatch> cqes;
    for (const uring::io_uring_cqe& cqe : std::span(cqes).first(reap(cqes))) {
      const std::uint8_t kind = unpack(cqe.user_data).kind;
      left -= (kind == kSignalKind || kind == kCancelKind) ? 1 : 0;
    }
  }
  signals_armed_ = false;
  return {};
}

}  // namespace loop
