#pragma once
// The loop: reap, dispatch, then submit and wait in one system call.
//
// One turn:
//   1. Copy up to 64 completions out of the CQ, release its head once, dispatch them. Repeat until
//      the CQ is empty, with a bound, so that a flood of completions cannot keep timers waiting.
//   2. Expire timers.
//   3. Let the application queue what it does once per turn (give buffers back).
//   4. One io_uring_enter: submit everything that the handlers armed, and wait for a completion or
//      for the next timer.
//
// What a handler may do: change its state and arm() operations. It never reaps, submits or frees:
// the completion it works on is a copy, and its slot cannot be recycled while it runs.
//
// The rule that ends an operation: a CQE does iff IORING_CQE_F_MORE is clear. That one rule covers
// single-shot and multishot requests and zero-copy sends with their notification.
//
// The application is a template parameter: the dispatch of a completion costs a switch, no virtual
// call, no std::function, no allocation. It provides
//
//   static constexpr std::uint32_t kMaxSqesPerHandler;    // the most that one handler arms
//   void on_completion(OpId id, const io_uring_cqe& cqe); // a flat switch over its kinds
//   void on_stale(OpId id, const io_uring_cqe& cqe);      // give back what the CQE carries
//   void on_slot_free(std::uint32_t slot);                // its last operation has ended
//   void on_timer(std::uint64_t payload, std::uint64_t deadline_ns);
//   void on_signal(int signal);
//   void before_wait();                                   // may arm up to kMaxSqesPerHandler
//   bool finished() const;                                // nothing to do, nothing in flight: leave

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "common/base/check.hpp"
#include "common/loop/op_id.hpp"
#include "common/loop/slot_pool.hpp"
#include "common/support/counters.hpp"
#include "common/support/cpu_clock.hpp"
#include "common/support/signal_source.hpp"
#include "common/timers/timer_heap.hpp"
#include "common/uring/prep.hpp"
#include "common/uring/ring.hpp"

namespace loop {

template <class App>
concept LoopApplication = requires(App app, const App& constant, OpId id,
                                   const uring::io_uring_cqe& cqe) {
  { App::kMaxSqesPerHandler } -> std::convertible_to<std::uint32_t>;
  app.on_completion(id, cqe);
  app.on_stale(id, cqe);
  app.on_slot_free(std::uint32_t{});
  app.on_timer(std::uint64_t{}, std::uint64_t{});
  app.on_signal(int{});
  app.before_wait();
  { constant.finished() } -> std::same_as<bool>;
};

struct LoopCounters {
  std::uint64_t turns = 0;
  std::uint64_t completions = 0;
  std::uint64_t stale = 0;            // generation mismatches: 0 in a correct program
  std::uint64_t interrupted = 0;      // waits ended by EINTR
  std::uint64_t refused_submits = 0;  // EBUSY or EAGAIN: reap first

  static constexpr auto list() {
    return std::to_array<support::Counter<LoopCounters>>(
        {{"turns", &LoopCounters::turns},
         {"completions", &LoopCounters::completions},
         {"stale", &LoopCounters::stale},
         {"interrupted", &LoopCounters::interrupted},
         {"refused_submits", &LoopCounters::refused_submits}});
  }
};

class EventLoop {
 public:
  struct Options {
    std::uint32_t slots = 1024;
    std::uint32_t timers = 1024;
  };

  // `ring` must outlive the loop. `signals` may be null.
  EventLoop(uring::Ring& ring, const Options& options,
            const support::SignalSource* signals = nullptr)
      : ring_(ring), slots_(options.slots), timers_(options.timers), signals_(signals) {
    held_.reserve(ring.cq().entries());
  }

  // An SQE for one more operation of this slot; its user_data is set and it is counted. Handlers may
  // take up to kMaxSqesPerHandler of them; outside of a handler (at start) call make_room() first.
  [[nodiscard]] uring::io_uring_sqe& arm(std::uint32_t slot, std::uint8_t kind,
                                         std::uint16_t aux = 0) {
    uring::io_uring_sqe* sqe = ring_.next_sqe();
    CHECK(sqe != nullptr, "a handler armed more than kMaxSqesPerHandler");
    sqe->user_data = pack(slots_.id(slot, kind, aux));
    slots_.begin_op(slot);
    ++in_flight_;
    return *sqe;
  }

  // The next wait, and only that, is content with fewer than so many completions only after this
  // time: see uring::WaitOptions::min_wait_us. Those that the submit itself brings are among them.
  // Only with Feature::MinWait: else it would wait for all of them.
  void gather(std::uint32_t completions, std::uint32_t at_most_us) {
    wait_.wait_nr = completions;
    wait_.min_wait_us = at_most_us;
  }

  // Room for `count` SQEs, whatever it takes.
  [[nodiscard]] base::Result<void> make_room(std::uint32_t count);

  [[nodiscard]] SlotPool& slots() { return slots_; }
  [[nodiscard]] timers::TimerHeap& timers() { return timers_; }
  [[nodiscard]] uring::Ring& ring() { return ring_; }
  [[nodiscard]] const LoopCounters& counters() const { return counters_; }
  // Operations that the application has armed and that have not ended.
  [[nodiscard]] std::uint64_t in_flight() const { return in_flight_; }

  // Turns until app.finished(). Then ends the loop's own operations. Returns early with the error
  // when the ring cannot be entered any more (EBADR: completions lost; EEXIST: a foreign thread).
  template <LoopApplication App>
  [[nodiscard]] base::Result<void> run(App& app);

 private:
  static constexpr std::size_t kBatch = 64;
  static constexpr std::uint32_t kMaxBatchesPerTurn = 64;
  static constexpr std::uint8_t kSignalKind = kFirstLoopKind;
  static constexpr std::uint8_t kCancelKind = kFirstLoopKind + 1;

  template <LoopApplication App>
  [[nodiscard]] base::Result<void> dispatch(App& app, const uring::io_uring_cqe& cqe);
  template <LoopApplication App>
  [[nodiscard]] base::Result<void> dispatch_own(App& app, OpId id);
  template <LoopApplication App>
  [[nodiscard]] base::Result<bool> dispatch_batch(App& app);

  [[nodiscard]] std::uint32_t reap(std::span<uring::io_uring_cqe> out);
  [[nodiscard]] base::Result<void> submit_and_wait();
  [[nodiscard]] base::Result<void> arm_signals();
  [[nodiscard]] base::Result<void> disarm_signals();

  uring::Ring& ring_;
  SlotPool slots_;
  timers::TimerHeap timers_;
  uring::WaitOptions wait_;  // the next one
  const support::SignalSource* signals_;
  bool signals_armed_ = false;
  std::uint64_t in_flight_ = 0;
  LoopCounters counters_;
  std::vector<uring::io_uring_cqe> held_;  // see make_room()
};

template <LoopApplication App>
base::Result<void> EventLoop::run(App& app) {
  if (const auto armed = arm_signals(); !armed) {
    return armed;
  }
  while (!app.finished()) {
    ++counters_.turns;
    for (std::uint32_t batch = 0; batch < kMaxBatchesPerTurn; ++batch) {
      const auto more = dispatch_batch(app);
      if (!more) {
        return base::fail(more.error());
      }
      if (!*more) {
        break;
      }
    }
    const std::uint64_t now = support::now_ns();
    while (const auto expired = timers_.pop_expired(now)) {
      if (const auto room = make_room(App::kMaxSqesPerHandler); !room) {
        return room;
      }
      app.on_timer(expired->payload, expired->deadline_ns);
    }
    if (signals_ != nullptr && !signals_armed_) {
      if (const auto armed = arm_signals(); !armed) {
        return armed;
      }
    }
    if (const auto room = make_room(App::kMaxSqesPerHandler); !room) {
      return room;
    }
    app.before_wait();
    if (app.finished()) {
      break;
    }
    if (const auto waited = submit_and_wait(); !waited) {
      return waited;
    }
  }
  CHECK(in_flight_ == 0, "a finished application has no operation in flight");
  return disarm_signals();
}

// Returns whether there may be more to reap.
template <LoopApplication App>
base::Result<bool> EventLoop::dispatch_batch(App& app) {
  std::array<uring::io_uring_cqe, kBatch> cqes;
  const std::uint32_t count = reap(cqes);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (const auto dispatched = dispatch(app, cqes[i]); !dispatched) {
      return base::fail(dispatched.error());
    }
  }
  counters_.completions += count;
  return count == kBatch;
}

template <LoopApplication App>
base::Result<void> EventLoop::dispatch(App& app, const uring::io_uring_cqe& cqe) {
  const OpId id = unpack(cqe.user_data);
  if (support::Trace* trace = ring_.trace(); trace != nullptr) [[unlikely]] {
    trace->record(support::TraceKind::Dispatch, cqe.user_data, id.kind, id.slot, id.generation);
  }
  if (id.kind >= kFirstLoopKind) [[unlikely]] {
    return dispatch_own(app, id);
  }
  if (!slots_.matches(id)) [[unlikely]] {
    ++counters_.stale;
    app.on_stale(id, cqe);
#if !defined(NDEBUG)
    CHECK(false, "a completion of a slot's earlier life: somewhere a count is wrong");
#endif
    return {};
  }
  if (const auto room = make_room(App::kMaxSqesPerHandler); !room) {
    return room;
  }
  app.on_completion(id, cqe);
  if ((cqe.flags & uring::IORING_CQE_F_MORE) == 0) {
    --in_flight_;
    if (slots_.end_op(id.slot)) {
      app.on_slot_free(id.slot);
    }
  }
  return {};
}

template <LoopApplication App>
base::Result<void> EventLoop::dispatch_own(App& app, OpId id) {
  if (id.kind != kSignalKind) {
    return {};
  }
  signals_armed_ = false;
  while (const auto signal = signals_->next()) {
    if (const auto room = make_room(App::kMaxSqesPerHandler); !room) {
      return room;
    }
    app.on_signal(*signal);
  }
  return {};
}

}  // namespace loop
