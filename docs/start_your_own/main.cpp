// ring_cat: copies standard input to standard output through the ring, until the end of the input or
// Ctrl-C. The smallest program that uses the event loop as it is meant: one slot, two kinds of
// operation, a policy for errors, signals, and nothing in flight when it leaves.

#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <span>
#include <string>

#include "common/loop/errno_policy.hpp"
#include "common/loop/event_loop.hpp"
#include "common/support/signal_source.hpp"
#include "common/uring/features.hpp"
#include "common/uring/prep.hpp"
#include "common/uring/ring.hpp"

namespace {

// [snippet: cat_policy]
enum Kind : std::uint8_t { kRead = 1, kWrite, kCancel };

using loop::Action;
constexpr loop::ErrnoPolicy kPolicy{std::to_array<loop::PolicyRow>({
    {kRead, EAGAIN, Action::Retry},
    {kRead, EINTR, Action::Retry},
    {kRead, ECANCELED, Action::Close},
    {kRead, EIO, Action::Fatal},
    {kRead, ENOMEM, Action::Fatal},
    {kRead, EISDIR, Action::Fatal},
    {kWrite, EAGAIN, Action::Retry},
    {kWrite, EINTR, Action::Retry},
    {kWrite, ECANCELED, Action::Close},
    {kWrite, EPIPE, Action::Close},
    {kWrite, EIO, Action::Fatal},
    {kWrite, ENOMEM, Action::Fatal},
    {kWrite, ENOSPC, Action::Fatal},
    {kWrite, EDQUOT, Action::Fatal},
    {kWrite, EFBIG, Action::Fatal},
    {kWrite, EROFS, Action::Fatal},
})};
static_assert(kPolicy.covers(kRead, loop::errors_of(uring::IORING_OP_READ)));
static_assert(kPolicy.covers(kWrite, loop::errors_of(uring::IORING_OP_WRITE)));
static_assert(kPolicy.is_unambiguous());
// [/snippet]

// Standard input and output have a position of their own: offset -1 uses it, and only one operation
// at a time does.
constexpr std::uint64_t kFilePosition = ~std::uint64_t{0};

class Cat {
 public:
  static constexpr std::uint32_t kMaxSqesPerHandler = 1;

  explicit Cat(loop::EventLoop& loop) : loop_(loop), slot_(*loop.slots().acquire()) {}

  void start() { arm_read(); }
  [[nodiscard]] bool finished() const { return finished_; }
  [[nodiscard]] bool failed() const { return failed_; }

  // [snippet: cat_completion]
  void on_completion(loop::OpId id, const uring::io_uring_cqe& cqe) {
    switch (id.kind) {
      case kRead:
        cqe.res < 0 ? on_error(id.kind, cqe.res) : on_read(static_cast<std::size_t>(cqe.res));
        break;
      case kWrite:
        cqe.res < 0 ? on_error(id.kind, cqe.res) : on_written(static_cast<std::size_t>(cqe.res));
        break;
      default:  // the cancel: its target has a completion of its own, which decides
        break;
    }
  }
  void on_stale(loop::OpId, const uring::io_uring_cqe&) {}
  void on_slot_free(std::uint32_t) { finished_ = true; }
  // [/snippet]
  void on_timer(std::uint64_t, std::uint64_t) {}
  void on_signal(int) {
    if (loop_.slots().is_open(slot_)) {
      const std::uint64_t target = loop::pack(loop_.slots().id(slot_, armed_));
      uring::prep_cancel(loop_.arm(slot_, kCancel), target, 0);
      loop_.slots().close(slot_);
    }
  }
  void before_wait() {}

 private:
  void arm_read() {
    armed_ = kRead;
    uring::prep_read(loop_.arm(slot_, kRead), STDIN_FILENO, buffer_, kFilePosition);
  }
  void arm_write() {
    armed_ = kWrite;
    uring::prep_write(loop_.arm(slot_, kWrite), STDOUT_FILENO, unwritten_, kFilePosition);
  }
  void on_read(std::size_t size) {
    unwritten_ = std::span(buffer_).first(size);
    size > 0 && loop_.slots().is_open(slot_) ? arm_write() : close();
  }
  void on_written(std::size_t size) {
    unwritten_ = unwritten_.subspan(size);
    if (!loop_.slots().is_open(slot_)) {
      return;
    }
    unwritten_.empty() ? arm_read() : arm_write();  // a short write goes on where it stopped
  }
  void on_error(std::uint8_t kind, std::int32_t res) {
    const Action action = kPolicy.decide(kind, res);
    if (action == Action::Retry && loop_.slots().is_open(slot_)) {
      kind == kRead ? arm_read() : arm_write();
      return;
    }
    if (action == Action::Fatal) {
      std::fprintf(stderr, "ring_cat: %s failed with %s: %s\n", kind == kRead ? "read" : "write",
                   base::Errno{-res}.name(), base::Errno{-res}.message());
      failed_ = true;
    }
    close();
  }
  // Recycled, and with it finished, when the last operation of the slot has ended.
  void close() { loop_.slots().close(slot_); }

  loop::EventLoop& loop_;
  std::uint32_t slot_;
  std::uint8_t armed_ = 0;
  std::array<std::byte, 64 * 1024> buffer_{};
  std::span<const std::byte> unwritten_;
  bool finished_ = false;
  bool failed_ = false;
};

int fail(const char* what, base::Errno error) {
  std::fprintf(stderr, "ring_cat: %s: %s: %s\n", what, error.name(), error.message());
  return 1;
}

}  // namespace

int main() {
  const auto features = uring::detect_features_or_explain();
  if (!features) {
    std::fprintf(stderr, "ring_cat: %s\n", features.error().c_str());
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);  // a write to a closed pipe is an EPIPE to handle
  const auto signals = support::SignalSource::create({SIGINT, SIGTERM});
  if (!signals) {
    return fail("no signalfd", signals.error());
  }
  // Flags that this kernel lacks are left out.
  auto ring = uring::Ring::create(
      {.sq_entries = 8,
       .setup_flags = uring::IORING_SETUP_SINGLE_ISSUER | uring::IORING_SETUP_DEFER_TASKRUN},
      *features);
  if (!ring) {
    return fail("no ring", ring.error());
  }
  loop::EventLoop events(*ring, {.slots = 1, .timers = 1}, &*signals);
  Cat cat(events);
  cat.start();
  const auto ran = events.run(cat);
  if (!ran) {
    return fail("the ring failed", ran.error());
  }
  return cat.failed() ? 1 : 0;
}
