#include "m2_file_server/bench/read_ring.hpp"

#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <utility>

#include "common/base/check.hpp"
#include "common/uring/prep.hpp"

namespace file_server::bench_read {

Outcome<std::unique_ptr<RingReader>> RingReader::create(const ReadWay& way, int fd,
                                                        const uring::Features& features) {
  const auto cannot = [](const char* what, base::Errno error) {
    return std::unexpected(std::string(what) + ": " + error.message() + " (" + error.name() + ")");
  };
  auto ring = uring::Ring::create(
      {.sq_entries = way.depth,
       .setup_flags = uring::IORING_SETUP_SINGLE_ISSUER | uring::IORING_SETUP_DEFER_TASKRUN |
                      uring::IORING_SETUP_COOP_TASKRUN | uring::IORING_SETUP_SUBMIT_ALL},
      features);
  if (!ring) {
    return cannot("no ring", ring.error());
  }
  auto memory = uring::MappedRegion::anonymous(way.depth * kBlockBytes);
  if (!memory) {
    return cannot("no memory", memory.error());
  }
  std::unique_ptr<RingReader> reader(new RingReader(way, fd, std::move(*ring), std::move(*memory)));
  if (const auto registered = reader->register_all(); !registered) {
    return cannot("the kernel registers no more buffers or files (ulimit -l)", registered.error());
  }
  return reader;
}

RingReader::RingReader(const ReadWay& way, int fd, uring::Ring ring, uring::MappedRegion memory)
    : way_(way),
      fd_(fd),
      memory_(std::move(memory)),
      ring_(std::move(ring)),
      reads_(way.depth),
      cqes_(way.depth) {}

// The tables point to the ring, which stays where it is from here on.
base::Result<void> RingReader::register_all() {
  if (const auto registered = ring_.register_ring_fd(); !registered) {
    return registered;
  }
  if (way_.fixed_buffers) {
    // All of the memory is one registered buffer, of which each read takes its own block.
    const std::array<iovec, 1> all{{{.iov_base = memory_.data(), .iov_len = memory_.size()}}};
    auto buffers = uring::RegisteredBuffers::create(ring_, all);
    if (!buffers) {
      return base::fail(buffers.error());
    }
    registered_buffers_.emplace(std::move(*buffers));
  }
  if (way_.registered_files) {
    auto files = uring::RegisteredFiles::create(ring_, std::array{fd_});
    if (!files) {
      return base::fail(files.error());
    }
    registered_files_.emplace(std::move(*files));
  }
  return {};
}

RingReader::~RingReader() {
  if (in_flight_ > 0) {
    // The ring failed, and the kernel may still write into the memory: it is left to the end of
    // the process, so that nobody else gets its addresses.
    static_cast<void>(new uring::MappedRegion(std::move(memory_)));
  }
}

Outcome<Slice> RingReader::read(const Walk& walk, std::uint64_t duration_ns,
                                support::Histogram& latency_ns) {
  Walk rest = walk;
  const Stopwatch watch;
  const std::uint64_t end_ns = watch.start_ns() + duration_ns;
  std::uint64_t reads = 0;
  for (std::size_t index = 0; index < reads_.size(); ++index) {
    if (const auto offset = rest.next()) {
      start(index, *offset, watch.start_ns());
    }
  }
  while (in_flight_ > 0) {
    if (const auto entered = submit_and_wait(); !entered) {
      return std::unexpected(std::string("the ring failed: ") + entered.error().message() + " (" +
                             entered.error().name() + ")");
    }
    const std::uint32_t count = ring_.reap(cqes_);
    // One look at the clock for the whole batch: the end of these reads is the start of the next.
    const std::uint64_t now_ns = support::now_ns();
    for (const uring::io_uring_cqe& cqe : std::span(cqes_).first(count)) {
      if (!finish(cqe)) {
        continue;
      }
      ++reads;
      const std::size_t index = cqe.user_data;
      latency_ns.record(now_ns - reads_[index].start_ns);
      if (now_ns < end_ns && failure_) {
        if (const auto offset = rest.next()) {
          start(index, *offset, now_ns);
        }
      }
    }
  }
  return failure_ ? Outcome<Slice>(watch.stop(reads)) : std::unexpected(failure_.error());
}

void RingReader::start(std::size_t index, std::uint64_t offset, std::uint64_t now_ns) {
  reads_[index] = {.offset = offset, .start_ns = now_ns};
  submit(index);
}

void RingReader::submit(std::size_t index) {
  const Read& read = reads_[index];
  uring::io_uring_sqe* const sqe = ring_.next_sqe();
  CHECK(sqe != nullptr, "the SQ has room for all reads that can be in flight");
  const auto missing = buffer(index).subspan(read.done_bytes);
  const int fd = way_.registered_files ? 0 : fd_;  // 0: the place in the table
  if (way_.fixed_buffers) {
    uring::prep_read_fixed(*sqe, fd, missing, read.offset + read.done_bytes, 0);
  } else {
    uring::prep_read(*sqe, fd, missing, read.offset + read.done_bytes);
  }
  sqe->flags = way_.registered_files ? uring::IOSQE_FIXED_FILE : 0;
  sqe->user_data = index;
  ++in_flight_;
}

base::Result<void> RingReader::submit_and_wait() {
  const auto entered = ring_.submit_and_wait(1);
  if (!entered) {
    switch (entered.error().value) {
      case EINTR:   // a signal that stopped the process, or a debugger
      case EAGAIN:  // no memory for requests, for now
      case EBUSY:   // completions have to be reaped first
        break;
      default:
        return base::fail(entered.error());
    }
  }
  return {};
}

bool RingReader::finish(const uring::io_uring_cqe& cqe) {
  Read& read = reads_[cqe.user_data];
  --in_flight_;
  if (cqe.res == -EINTR || cqe.res == -EAGAIN) {
    submit(cqe.user_data);
    return false;
  }
  Outcome<void> outcome;
  if (cqe.res < 0) {
    outcome = failed_read(read.offset, base::Errno{-cqe.res});
  } else if (cqe.res == 0) {
    outcome = file_ended(read.offset);
  } else {
    read.done_bytes += static_cast<std::uint32_t>(cqe.res);
    if (read.done_bytes < kBlockBytes) {
      submit(cqe.user_data);
      return false;
    }
    if (holds_block(buffer(cqe.user_data), read.offset)) {
      return true;
    }
    outcome = wrong_block(read.offset);
  }
  if (failure_) {
    failure_ = std::move(outcome);
  }
  return false;
}

}  // namespace file_server::bench_read
