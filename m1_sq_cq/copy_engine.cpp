#include "m1_sq_cq/copy_engine.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "common/base/check.hpp"
#include "common/uring/prep.hpp"

namespace m1 {

namespace {

// user_data: the index of a block, or one of these.
constexpr std::uint64_t kSignalPoll = 1ULL << 32;
constexpr std::uint64_t kCancel = 2ULL << 32;

// The file position, which the kernel moves itself, as read(2) and write(2) do. Only for files
// without offsets, and one request at a time, so nobody can race for it.
constexpr std::uint64_t kCurrentPosition = ~0ULL;

bool try_again(std::int32_t res) {
  return res == -EINTR || res == -EAGAIN;
}

// A signal that is ignored from outside (nohup) does not stop us, though a blocked one is collected.
bool is_ignored(int signal) {
  struct sigaction current {};
  return ::sigaction(signal, nullptr, &current) == 0 && current.sa_handler == SIG_IGN;
}

}  // namespace

base::Result<CopyEngine> CopyEngine::create(uring::Ring& ring, const support::SignalSource& signals,
                                            const CopyJob& job) {
  CHECK(job.blocks > 0 && job.block_bytes > 0);
  CHECK(ring.sq().entries() >= sq_entries(job.blocks), "each block may need two SQEs at once");
  auto memory = uring::MappedRegion::anonymous(std::size_t{job.blocks} * job.block_bytes);
  if (!memory) {
    return base::fail(memory.error());
  }
  return CopyEngine(ring, signals, job, std::move(*memory));
}

CopyEngine::CopyEngine(uring::Ring& ring, const support::SignalSource& signals, const CopyJob& job,
                       uring::MappedRegion memory)
    : ring_(ring), signals_(signals), job_(job), memory_(std::move(memory)), blocks_(job.blocks) {}

CopyEngine::~CopyEngine() {
  if (in_flight_ > 0) {
    // Only after RingFailed. The kernel may write into the buffers at any later time: unmapped,
    // their addresses could belong to somebody else by then. So they are left to the process's end.
    static_cast<void>(new uring::MappedRegion(std::move(memory_)));
  }
}

CopyOutcome CopyEngine::run(support::ProgressBar& progress) {
  watch_signals();
  start_idle_blocks();
  while (busy() && ring_usable_) {
    wait_and_handle();
    start_idle_blocks();
    progress.update(written_bytes_);
  }
  // The poll that watches for signals is still there.
  cancel_all();
  while (in_flight_ > 0 && ring_usable_) {
    wait_and_handle();
  }
  outcome_.bytes = stopped() ? written_bytes_ : end_;
  outcome_.wrote_beyond_end = !stopped() && written_up_to_ > end_;
  return outcome_;
}

// --- starting ------------------------------------------------------------------------------------

void CopyEngine::start_idle_blocks() {
  for (std::uint32_t index = 0; index < job_.blocks; ++index) {
    Block& block = blocks_[index];
    if (block.state != State::Idle) {
      continue;
    }
    if (!take_range(block)) {
      return;
    }
    ++active_blocks_;
    start_read(index);
  }
}

bool CopyEngine::take_range(Block& block) {
  const bool end_seen = end_ != std::numeric_limits<std::uint64_t>::max();
  if (stopped() || end_seen) {
    return false;
  }
  std::uint64_t range_end = next_range_ + job_.block_bytes;
  if (next_range_ < job_.known_bytes) {
    range_end = std::min(range_end, job_.known_bytes);
  } else if (busy()) {
    return false;  // beyond the known size: alone, and only when all before it is done
  }
  block = {.position = next_range_, .range_end = range_end};
  next_range_ = range_end;
  return true;
}

void CopyEngine::start_read(std::uint32_t index) {
  Block& block = blocks_[index];
  block.state = State::Reading;
  const std::uint64_t wanted = block.range_end - block.position;
  uring::prep_read(next_sqe(index), job_.source, buffer(index).first(wanted),
                   job_.source_seeks ? block.position : kCurrentPosition);
  ++outcome_.counts.reads;
}

void CopyEngine::start_write(std::uint32_t index) {
  Block& block = blocks_[index];
  block.state = State::Writing;
  const auto rest = buffer(index).subspan(block.written, block.filled - block.written);
  const std::uint64_t offset = block.position + block.written;
  uring::prep_write(next_sqe(index), job_.destination, rest,
                    job_.destination_seeks ? offset : kCurrentPosition);
  ++outcome_.counts.writes;
}

uring::io_uring_sqe& CopyEngine::next_sqe(std::uint64_t user_data) {
  uring::io_uring_sqe* sqe = ring_.next_sqe();
  CHECK(sqe != nullptr, "the SQ has room for all that can be started between two submits");
  sqe->user_data = user_data;
  ++in_flight_;
  return *sqe;
}

// --- completions ---------------------------------------------------------------------------------

void CopyEngine::wait_and_handle() {
  outcome_.counts.most_in_flight = std::max(outcome_.counts.most_in_flight, active_blocks_);
  ++outcome_.counts.enters;
  const auto submitted = ring_.submit_and_wait(1);
  if (!submitted && submitted.error().value != EINTR && submitted.error().value != EAGAIN &&
      submitted.error().value != EBUSY) {
    ring_usable_ = false;
    outcome_.end = CopyEnd::RingFailed;
    outcome_.error = submitted.error();
    return;
  }
  std::array<uring::io_uring_cqe, 64> cqes;
  const std::uint32_t count = ring_.reap(cqes);
  for (std::uint32_t i = 0; i < count; ++i) {
    handle(cqes[i]);
  }
}

void CopyEngine::handle(const uring::io_uring_cqe& cqe) {
  --in_flight_;
  if (cqe.user_data == kCancel) {
    return;
  }
  if (cqe.user_data == kSignalPoll) {
    signals_watched_ = false;
    handle_signals();
    return;
  }
  const auto index = static_cast<std::uint32_t>(cqe.user_data);
  if (blocks_[index].state == State::Reading) {
    handle_read(index, cqe.res);
  } else {
    handle_write(index, cqe.res);
  }
  if (blocks_[index].state == State::Idle) {
    --active_blocks_;
  }
}

void CopyEngine::handle_read(std::uint32_t index, std::int32_t res) {
  Block& block = blocks_[index];
  block.state = State::Idle;
  if (stopped()) {
    return;
  }
  if (try_again(res)) {
    start_read(index);
  } else if (res < 0) {
    stop(CopyEnd::ReadFailed, base::Errno{-res}, 0);
  } else if (res == 0) {
    end_ = std::min(end_, block.position);
  } else {
    block.filled = static_cast<std::uint32_t>(res);
    block.written = 0;
    outcome_.counts.short_reads += block.filled < block.range_end - block.position ? 1 : 0;
    start_write(index);
  }
}

// [snippet: copy_handle_write]
void CopyEngine::handle_write(std::uint32_t index, std::int32_t res) {
  Block& block = blocks_[index];
  block.state = State::Idle;
  if (res > 0) {
    block.written += static_cast<std::uint32_t>(res);
    written_bytes_ += static_cast<std::uint32_t>(res);
    written_up_to_ = std::max(written_up_to_, block.position + block.written);
  }
  if (stopped()) {
    return;
  }
  if (try_again(res)) {
    start_write(index);
  } else if (res <= 0) {
    // 0 for a write of something: a device that takes no more and does not say why.
    stop(CopyEnd::WriteFailed, base::Errno{res < 0 ? -res : EIO}, 0);
  } else if (block.written < block.filled) {
    ++outcome_.counts.short_writes;
    start_write(index);
  } else {
    block.position += block.filled;
    if (block.position < block.range_end) {
      start_read(index);
    }
  }
}
// [/snippet]

// --- signals and stopping ------------------------------------------------------------------------

void CopyEngine::watch_signals() {
  uring::prep_poll_add(next_sqe(kSignalPoll), signals_.fd(), POLLIN);
  signals_watched_ = true;
}

void CopyEngine::handle_signals() {
  while (const auto signal = signals_.next()) {
    if (*signal != SIGPIPE && *signal != SIGXFSZ && !is_ignored(*signal) && !stopped()) {
      stop(CopyEnd::Interrupted, {}, *signal);
    }
  }
  if (!stopped() && busy()) {
    watch_signals();
  }
}

// The first reason counts. What is in flight is cancelled, because it may never end by itself (a
// read from a pipe that nobody writes to), and its completions are waited for.
void CopyEngine::stop(CopyEnd end, base::Errno error, int signal) {
  outcome_.end = end;
  outcome_.error = error;
  outcome_.signal = signal;
  cancel_all();
}

void CopyEngine::cancel_all() {
  for (std::uint32_t index = 0; index < job_.blocks; ++index) {
    if (blocks_[index].state != State::Idle) {
      uring::prep_cancel(next_sqe(kCancel), index, 0);
    }
  }
  if (signals_watched_) {
    uring::prep_cancel(next_sqe(kCancel), kSignalPoll, 0);
  }
}

std::span<std::byte> CopyEngine::buffer(std::uint32_t index) const {
  return memory_.bytes().subspan(std::size_t{index} * job_.block_bytes, job_.block_bytes);
}

}  // namespace m1
