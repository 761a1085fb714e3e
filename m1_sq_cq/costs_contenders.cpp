#include "m1_sq_cq/costs_contenders.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <utility>
#include <vector>

#include "common/base/check.hpp"
#include "common/support/write_all.hpp"
#include "common/uring/denied.hpp"
#include "common/uring/prep.hpp"
#include "m1_sq_cq/text.hpp"

namespace m1 {

namespace {

constexpr std::uint64_t kFileBytes = 4 << 20;

// What write(2) and the ring write to /dev/null.
constexpr std::array<std::byte, 64> kMessage{};

// Fills a batch with `prepare(sqe, i)`, submits and waits for it in one call, and checks that each
// request returned `expected`. Again until all operations are done.
template <class Prepare>
base::Result<void> run_batches(uring::Ring& ring, std::uint64_t operations, std::uint32_t batch,
                               std::int32_t expected, Prepare prepare) {
  std::array<uring::io_uring_cqe, CostsContenders::kLargestBatch> cqes;
  for (std::uint64_t done = 0; done < operations; done += batch) {
    const auto size = static_cast<std::uint32_t>(std::min<std::uint64_t>(batch, operations - done));
    for (std::uint32_t i = 0; i < size; ++i) {
      uring::io_uring_sqe* sqe = ring.next_sqe();
      CHECK(sqe != nullptr, "the SQ holds the largest batch");
      prepare(*sqe, done + i);
      sqe->user_data = i;
    }
    std::uint32_t left = size;
    while (left > 0) {
      if (const auto waited = ring.submit_and_wait(left);
          !waited && waited.error().value != EINTR) {
        return base::fail(waited.error());
      }
      const std::uint32_t reaped = ring.reap(std::span(cqes).first(left));
      for (std::uint32_t i = 0; i < reaped; ++i) {
        if (cqes[i].res != expected) {
          return base::fail(cqes[i].res < 0 ? -cqes[i].res : EIO);
        }
      }
      left -= reaped;
    }
  }
  return {};
}

base::Result<void> run_nops(uring::Ring& ring, std::uint64_t operations, std::uint32_t batch) {
  return run_batches(ring, operations, batch, 0,
                     [](uring::io_uring_sqe& sqe, std::uint64_t) { uring::prep_nop(sqe); });
}

std::string sentence(const char* what, base::Errno error) {
  return text("cannot %s: %s (%s)", what, error.name(), error.message());
}

}  // namespace

std::expected<std::unique_ptr<CostsContenders>, std::string> CostsContenders::create(
    const uring::Features& features) {
  auto scratch = ScratchDirectory::create();
  if (!scratch) {
    return std::unexpected(sentence("make a directory for files to read", scratch.error()));
  }
  auto trace = support::Trace::open(scratch->path_of("trace").c_str());
  if (!trace) {
    return std::unexpected(sentence("open a file to trace into", trace.error()));
  }
  std::unique_ptr<CostsContenders> all(new CostsContenders(std::move(*scratch), std::move(*trace)));
  if (const auto ready = all->set_up(features); !ready) {
    return std::unexpected(ready.error());
  }
  return all;
}

std::expected<void, std::string> CostsContenders::set_up(const uring::Features& features) {
  // Never traced with --trace: what is measured here is the ring as a program uses it.
  uring::RingOptions options{
      .sq_entries = kLargestBatch,
      .setup_flags = uring::IORING_SETUP_SINGLE_ISSUER | uring::IORING_SETUP_DEFER_TASKRUN};
  for (const bool traced : {false, true}) {
    options.trace = traced ? &trace_ : nullptr;
    auto ring = uring::Ring::create(options, features);
    if (!ring) {
      return std::unexpected(uring::explain_setup_failure(ring.error()));
    }
    std::optional<uring::Ring>& place = traced ? traced_ring_ : ring_;
    place.emplace(std::move(*ring));
    if (const auto registered = place->register_ring_fd(); !registered) {
      return std::unexpected(sentence("register the ring's descriptor", registered.error()));
    }
  }
  return set_up_files();
}

std::expected<void, std::string> CostsContenders::set_up_files() {
  null_.reset(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  const std::string path = scratch_.path_of("file");
  buffered_file_.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!null_.valid() || !buffered_file_.valid()) {
    return std::unexpected(sentence("open /dev/null and a file to read", base::last_error()));
  }
  const std::vector<std::byte> bytes(kFileBytes, std::byte{7});
  auto written = support::write_all(buffered_file_.get(), bytes);
  if (written && ::fsync(buffered_file_.get()) != 0) {
    written = base::fail(base::last_error());
  }
  if (!written) {
    return std::unexpected(sentence("write a file to read", written.error()));
  }
  auto direct = open_direct(path);
  if (direct && direct->offset_align <= kReadBytes && direct->memory_align <= kReadBytes) {
    direct_file_.emplace(std::move(*direct));
  } else {
    why_not_direct_ =
        direct ? text("%s takes no reads of %u bytes past the page cache", path.c_str(), kReadBytes)
               : direct.error();
  }

  auto memory = uring::MappedRegion::anonymous(std::size_t{kReadBatch} * kReadBytes);
  if (!memory) {
    return std::unexpected(sentence("map memory to read into", memory.error()));
  }
  read_memory_ = std::move(*memory);
  const std::array buffers = {
      iovec{.iov_base = read_memory_.data(), .iov_len = read_memory_.size()}};
  auto registered = uring::RegisteredBuffers::create(*ring_, buffers);
  if (!registered) {
    return std::unexpected(sentence("register a buffer", registered.error()));
  }
  registered_buffers_.emplace(std::move(*registered));
  const std::array files = {null_.get()};
  auto registered_files = uring::RegisteredFiles::create(*ring_, files);
  if (!registered_files) {
    return std::unexpected(sentence("register a file", registered_files.error()));
  }
  registered_files_.emplace(std::move(*registered_files));
  return {};
}

// --- without the ring ----------------------------------------------------------------------------

Contender CostsContenders::empty_system_call() {
  return {.name = "system call (getppid)",
          .batch = 1,
          .run = [](std::uint64_t operations) -> base::Result<void> {
            for (std::uint64_t i = 0; i < operations; ++i) {
              ::syscall(SYS_getppid);
            }
            return {};
          }};
}

Contender CostsContenders::writes() {
  return {.name = "write(2)",
          .batch = 1,
          .run = [this](std::uint64_t operations) -> base::Result<void> {
            for (std::uint64_t i = 0; i < operations; ++i) {
              if (::write(null_.get(), kMessage.data(), kMessage.size()) !=
                  static_cast<ssize_t>(kMessage.size())) {
                return base::fail(base::last_error());
              }
            }
            return {};
          },
          .operations_per_slice = kWritesPerSlice};
}

// --- with the ring -------------------------------------------------------------------------------

Contender CostsContenders::empty_enter() {
  return {.name = "empty io_uring_enter",
          .batch = 1,
          .run = [this](std::uint64_t operations) -> base::Result<void> {
            for (std::uint64_t i = 0; i < operations; ++i) {
              if (const auto entered = ring_->get_events(); !entered) {
                return entered;
              }
            }
            return {};
          }};
}

Contender CostsContenders::nops(std::uint32_t batch) {
  return {.name = text("NOP, %u per enter", batch),
          .batch = batch,
          .run = [this, batch](std::uint64_t operations) {
            return run_nops(*ring_, operations, batch);
          }};
}

Contender CostsContenders::traced_nops(std::uint32_t batch) {
  return {
      .name = text("NOP, %u per enter, traced", batch),
      .batch = batch,
      .run = [this, batch](
                 std::uint64_t operations) { return run_nops(*traced_ring_, operations, batch); },
      // The trace goes on where it was: the file stays small, with a hole in front.
      .after_slice =
          [path = scratch_.path_of("trace")] { static_cast<void>(::truncate(path.c_str(), 0)); }};
}

Contender CostsContenders::ring_writes(std::uint32_t batch, bool registered_file) {
  // With IOSQE_FIXED_FILE `fd` is an index into the ring's table, in which /dev/null is the first.
  const int fd = registered_file ? 0 : null_.get();
  const std::uint8_t flags = registered_file ? uring::IOSQE_FIXED_FILE : 0;
  return {.name = text("WRITE, %u per enter%s", batch, registered_file ? ", fixed file" : ""),
          .batch = batch,
          .run =
              [this, batch, fd, flags](std::uint64_t operations) {
                return run_batches(*ring_, operations, batch,
                                   static_cast<std::int32_t>(kMessage.size()),
                                   [fd, flags](uring::io_uring_sqe& sqe, std::uint64_t) {
                                     uring::prep_write(sqe, fd, kMessage, 0);
                                     sqe.flags = flags;
                                   });
              },
          .operations_per_slice = kWritesPerSlice};
}

Contender CostsContenders::reads(Reads how, bool fixed) {
  const bool direct = how == Reads::Direct;
  CHECK(!direct || direct_file_, "ask why_not_direct() first");
  const int fd = direct ? direct_file_->fd.get() : buffered_file_.get();
  return {.name = text("%s 4 KiB, %s", fixed ? "READ_FIXED" : "READ",
                       direct ? "O_DIRECT" : "page cache"),
          .batch = kReadBatch,
          .run = [this, fd, fixed](std::uint64_t operations) {
            return read_all(fd, fixed, operations);
          }};
}

base::Result<void> CostsContenders::read_all(int fd, bool fixed, std::uint64_t operations) {
  return run_batches(*ring_, operations, kReadBatch, static_cast<std::int32_t>(kReadBytes),
                     [&](uring::io_uring_sqe& sqe, std::uint64_t number) {
                       const auto into = read_memory_.bytes().subspan(
                           number % kReadBatch * kReadBytes, kReadBytes);
                       const std::uint64_t offset = number * kReadBytes % kFileBytes;
                       if (fixed) {
                         uring::prep_read_fixed(sqe, fd, into, offset, 0);
                       } else {
                         uring::prep_read(sqe, fd, into, offset);
                       }
                     });
}

}  // namespace m1
