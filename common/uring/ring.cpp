#include "common/uring/ring.hpp"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "common/base/check.hpp"
#include "common/uring/prep.hpp"
#include "common/uring/syscalls.hpp"

namespace uring {

namespace {

// How often make_room() sleeps for the SQPOLL thread before it says that there is none. Each sleep
// ends when the thread has taken something; the number only bounds how often it may end for nothing.
constexpr int kSqWaitTries = 1000;

}  // namespace

base::Result<Ring> Ring::create(const RingOptions& options, const Features& features) {
  io_uring_params params{};
  params.flags = features.allowed_setup_flags(options.setup_flags | IORING_SETUP_CQSIZE |
                                              IORING_SETUP_NO_SQARRAY);
  if ((params.flags & IORING_SETUP_CQSIZE) != 0) {
    params.cq_entries = options.cq_entries != 0 ? options.cq_entries : 2 * options.sq_entries;
  }
  params.sq_thread_idle = options.sq_thread_idle_ms;
  if (options.sq_thread_cpu && (params.flags & IORING_SETUP_SQPOLL) != 0) {
    params.flags |= IORING_SETUP_SQ_AFF;
    params.sq_thread_cpu = *options.sq_thread_cpu;
  }

  const auto fd = sys::io_uring_setup(options.sq_entries, params);
  if (!fd) {
    return base::fail(fd.error());
  }
  base::UniqueFd owned(*fd);
  auto mapping = RingMapping::create(owned.get(), params, features.has(Feature::SingleMmap));
  if (!mapping) {
    return base::fail(mapping.error());
  }
  return Ring(std::move(owned), params, std::move(*mapping), features, options.trace);
}

Ring::Ring(base::UniqueFd fd, const io_uring_params& params, RingMapping mapping,
           const Features& features, support::Trace* trace)
    : fd_(std::move(fd)),
      params_(params),
      mapping_(std::move(mapping)),
      sq_(mapping_.sq_pointers(), trace),
      cq_(mapping_.cq_pointers(), trace),
      trace_(trace),
      enter_fd_(fd_.get()),
      has_ext_arg_(features.has(Feature::ExtArg)),
      has_min_wait_(features.has(Feature::MinWait)),
      has_registered_ring_(features.has(Feature::RegisteredRing)) {}

Ring::Ring(Ring&& other) noexcept = default;

Ring::~Ring() {
  if (fd_.valid() && uses_registered_fd()) {
    // The index is the thread's, and would keep the ring alive until the thread ends. On another
    // thread the same index may name another ring, but only the owner destroys a ring.
    io_uring_rsrc_update update{};
    update.offset = static_cast<std::uint32_t>(enter_fd_);
    const auto undone = sys::io_uring_register(fd_.get(), IORING_UNREGISTER_RING_FDS, &update, 1);
    CHECK(undone.has_value(), "a ring is destroyed by the thread that registered its descriptor");
  }
}

base::Result<std::uint32_t> Ring::traced_enter(std::uint32_t to_submit, std::uint32_t min_complete,
                                               std::uint32_t flags,
                                               const io_uring_getevents_arg* argument) {
  trace_->record(support::TraceKind::EnterCall, 0, to_submit, min_complete, flags);
  const auto result = sys::io_uring_enter(enter_fd_, to_submit, min_complete, flags, argument,
                                          argument != nullptr ? sizeof *argument : 0);
  const std::int64_t value = result ? std::int64_t{*result} : -result.error().value;
  trace_->record(support::TraceKind::EnterReturn, 0, static_cast<std::uint32_t>(value), 0);
  return result;
}

base::Result<std::uint32_t> Ring::submit_and_wait(const WaitOptions& options) {
  const bool min_wait = options.min_wait_us > 0 && has_min_wait_;
  if (options.timeout_ns < 0 && !min_wait) {
    return submit_and_wait(options.wait_nr);
  }
  if (!has_ext_arg_) {
    return wait_with_timeout_request(options);
  }

  const __kernel_timespec timeout = to_timespec(options.timeout_ns);
  io_uring_getevents_arg argument{};
  argument.min_wait_usec = min_wait ? options.min_wait_us : 0;
  argument.ts = options.timeout_ns >= 0 ? reinterpret_cast<std::uintptr_t>(&timeout) : 0;
  std::uint32_t flags = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
  const std::uint32_t to_submit = publish(flags);
  return enter(to_submit, options.wait_nr, flags, &argument);
}

// Before 5.11 io_uring_enter takes no timeout: a TIMEOUT request in the same submit stands in for it.
// Its count makes it end together with the completions that were waited for, so that it does not
// stay behind. Each wait asks for one completion more than there is and looks whose it was: a
// TIMEOUT that fires before the wait begins would not end a wait for several.
base::Result<std::uint32_t> Ring::wait_with_timeout_request(const WaitOptions& options) {
  if (cq_.ready() >= options.wait_nr) {
    return submit_and_wait(0);
  }
  if (const auto room = make_room(1); !room) {
    return base::fail(room.error());
  }
  const __kernel_timespec timeout = to_timespec(options.timeout_ns);
  const std::uint64_t user_data = kInternalUserData | ++wait_timeouts_;
  io_uring_sqe* sqe = next_sqe();
  prep_timeout(*sqe, &timeout, options.wait_nr, 0);
  sqe->user_data = user_data;

  std::uint32_t submitted = 0;
  for (;;) {
    const std::uint32_t ready = cq_.ready();
    const auto entered = submit_and_wait(ready + 1);
    if (!entered) {
      return submitted > 0 ? submitted : entered;
    }
    submitted += *entered;
    std::uint32_t wanted = 0;
    for (std::uint32_t i = 0; i < cq_.ready(); ++i) {
      if (cq_.at(i).user_data == user_data) {
        return submitted;
      }
      wanted += cq_.at(i).user_data < kInternalUserData ? 1U : 0U;
    }
    if (wanted >= options.wait_nr || cq_.ready() == cq_.entries()) {
      return submitted;
    }
  }
}

base::Result<void> Ring::get_events() {
  return base::without_value(enter(0, 0, IORING_ENTER_GETEVENTS));
}

base::Result<void> Ring::make_room(std::uint32_t count) {
  CHECK(count <= sq_.entries(), "more SQEs at once than the SQ has");
  if (sq_.space_left() >= count) {
    return {};
  }
  // Without SQPOLL one submit takes what it can. With it, SQ_WAIT (5.10) sleeps until the kernel's
  // thread has made room for one, or until anything wakes this task: so we look, and ask again.
  const int tries = has_flag(IORING_SETUP_SQPOLL) ? kSqWaitTries : 1;
  for (int i = 0; i < tries && sq_.space_left() < count; ++i) {
    const auto submitted = submit();
    if (!submitted) {
      return base::fail(submitted.error());
    }
    if (has_flag(IORING_SETUP_SQPOLL) && sq_.space_left() < count) {
      const auto waited = enter(0, 0, IORING_ENTER_SQ_WAIT);
      if (!waited) {
        return base::fail(waited.error());
      }
    }
  }
  return sq_.space_left() >= count ? base::Result<void>{} : base::fail(ENOSPC);
}

// [snippet: ring_reap]
std::uint32_t Ring::reap(std::span<io_uring_cqe> out) {
  std::uint32_t filled = 0;
  while (filled < out.size()) {
    const std::span<io_uring_cqe> rest = out.subspan(filled);
    const std::uint32_t copied = cq_.copy_out(rest);
    filled += drop_internal(rest.first(copied));
    if (copied > 0) {
      continue;
    }
    if (!sq_.cq_overflowed()) {
      break;
    }
    // The CQ is empty now, so there is room: one GETEVENTS call moves up to a CQ-full over.
    ++overflow_flushes_;
    if (trace_ != nullptr) [[unlikely]] {
      trace_->record(support::TraceKind::Overflow, 0, cq_.overflow(), 0);
    }
    if (!get_events()) {
      break;  // EBADR: some were lost, and overflow() counts them. What is left comes next time.
    }
    if (cq_.ready() == 0) {
      break;
    }
  }
  return filled;
}
// [/snippet]

std::uint32_t Ring::drop_internal(std::span<io_uring_cqe> cqes) {
  std::uint32_t kept = 0;
  for (const io_uring_cqe& cqe : cqes) {
    if (cqe.user_data < kInternalUserData) [[likely]] {
      cqes[kept++] = cqe;
    } else if (cqe.res < 0 && cqe.res != -ETIME && cqe.res != -ECANCELED) {
      ++internal_failures_;
    }
  }
  return kept;
}

base::Result<void> Ring::register_ring_fd() {
  if (!has_registered_ring_ || uses_registered_fd()) {
    return {};
  }
  io_uring_rsrc_update update{};
  update.offset = ~0U;  // any free index of this thread (there are 16); the kernel writes which
  update.data = static_cast<std::uint64_t>(fd_.get());
  const auto registered = register_op(IORING_REGISTER_RING_FDS, &update, 1);
  if (!registered) {
    return base::fail(registered.error());
  }
  enter_fd_ = static_cast<int>(update.offset);
  enter_flags_ = IORING_ENTER_REGISTERED_RING;
  return {};
}

base::Result<void> Ring::enable() {
  return base::without_value(register_op(IORING_REGISTER_ENABLE_RINGS, nullptr, 0));
}

base::Result<int> Ring::register_op(std::uint32_t opcode, const void* argument,
                                    std::uint32_t count) {
  return sys::io_uring_register(fd_.get(), opcode, argument, count);
}

}  // namespace uring
