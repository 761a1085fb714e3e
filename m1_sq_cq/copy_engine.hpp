#pragma once
// Moves bytes from one descriptor to another through a ring, several blocks at a time.
//
// A block is one buffer and a small state machine that walks through its own range of the file:
//
//   Idle --take a range--> Reading --n bytes came--> Writing --all n are written--> Reading the rest
//     ^                      |                        |   ^                            of the range
//     |                      | 0 bytes: the end       +---+ fewer: write the rest,          |
//     +----------------------+                              where it belongs                |
//     +----------------------------- the range is done -------------------------------------+
//
// A short read or write needs no special case: the block goes on from where it is.
//
// Ranges below `known_bytes` are given out to all blocks at once. Beyond it nobody knows where the
// file ends, so one block alone reads on until the kernel says 0. A file without a size (procfs, a
// pipe) is all "beyond"; a file that grows while it is copied ends in it as well.
//
// What must hold:
//  - A block has at most one request in flight, so its buffer has one owner: the kernel while a
//    request runs, us otherwise.
//  - Nothing is in flight when run() returns, or the buffers stay mapped for ever.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "common/base/errno.hpp"
#include "common/support/progress_bar.hpp"
#include "common/support/signal_source.hpp"
#include "common/uring/mapped_region.hpp"
#include "common/uring/ring.hpp"

namespace m1 {

struct CopyJob {
  int source;
  int destination;
  std::uint64_t known_bytes;  // of the source, for reading in any order; 0: one after the other
  bool source_seeks;          // false: the file position is used, and offsets mean nothing
  bool destination_seeks;
  std::uint32_t block_bytes;  // per buffer, and at most per request
  std::uint32_t blocks;       // at most this many requests in flight
};

struct CopyCounts {
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;
  std::uint64_t short_reads = 0;  // fewer bytes than asked for, and not the end
  std::uint64_t short_writes = 0;
  std::uint64_t enters = 0;
  std::uint32_t most_in_flight = 0;
};

enum class CopyEnd : std::uint8_t { Done, ReadFailed, WriteFailed, RingFailed, Interrupted };

struct CopyOutcome {
  CopyEnd end = CopyEnd::Done;
  base::Errno error;              // of ReadFailed, WriteFailed and RingFailed
  int signal = 0;                 // of Interrupted
  std::uint64_t bytes = 0;        // Done: the length of the copy. Else: what was written, in all
  bool wrote_beyond_end = false;  // the source shrank: cut the destination to `bytes`
  CopyCounts counts;
};

class CopyEngine {
 public:
  // What the ring's SQ must hold: per block a request and its cancellation, and the same for the
  // poll that watches for signals.
  [[nodiscard]] static constexpr std::uint32_t sq_entries(std::uint32_t blocks) {
    return 2 * blocks + 2;
  }

  // All of these must outlive the engine. ENOMEM: no memory for the buffers.
  [[nodiscard]] static base::Result<CopyEngine> create(uring::Ring& ring,
                                                       const support::SignalSource& signals,
                                                       const CopyJob& job);
  CopyEngine(CopyEngine&&) noexcept = default;
  CopyEngine& operator=(CopyEngine&&) = delete;
  CopyEngine(const CopyEngine&) = delete;
  CopyEngine& operator=(const CopyEngine&) = delete;
  ~CopyEngine();

  // To the end, or to the first error, or to a signal (SIGPIPE and SIGXFSZ are swallowed: the same
  // news comes as EPIPE and EFBIG in a completion). Call it once.
  [[nodiscard]] CopyOutcome run(support::ProgressBar& progress);

 private:
  enum class State : std::uint8_t { Idle, Reading, Writing };

  struct Block {
    State state = State::Idle;
    std::uint64_t position = 0;   // in the file, of the first byte that is not copied yet
    std::uint64_t range_end = 0;  // where the range ends
    std::uint32_t filled = 0;     // bytes that were read at `position`
    std::uint32_t written = 0;    // how many of them are written
  };

  CopyEngine(uring::Ring& ring, const support::SignalSource& signals, const CopyJob& job,
             uring::MappedRegion memory);

  void start_idle_blocks();
  [[nodiscard]] bool take_range(Block& block);
  void start_read(std::uint32_t index);
  void start_write(std::uint32_t index);
  [[nodiscard]] uring::io_uring_sqe& next_sqe(std::uint64_t user_data);

  void wait_and_handle();
  void handle(const uring::io_uring_cqe& cqe);
  void handle_read(std::uint32_t index, std::int32_t res);
  void handle_write(std::uint32_t index, std::int32_t res);
  void handle_signals();
  void watch_signals();

  void stop(CopyEnd end, base::Errno error, int signal);
  void cancel_all();
  [[nodiscard]] bool stopped() const { return outcome_.end != CopyEnd::Done; }
  [[nodiscard]] bool busy() const { return active_blocks_ > 0; }
  [[nodiscard]] std::span<std::byte> buffer(std::uint32_t index) const;

  uring::Ring& ring_;
  const support::SignalSource& signals_;
  CopyJob job_;
  uring::MappedRegion memory_;  // the buffers, one after the other
  std::vector<Block> blocks_;
  std::uint32_t active_blocks_ = 0;
  std::uint32_t in_flight_ = 0;  // requests whose completion has not come
  bool signals_watched_ = false;
  bool ring_usable_ = true;

  std::uint64_t next_range_ = 0;
  std::uint64_t end_ = std::numeric_limits<std::uint64_t>::max();  // of the source, once seen
  std::uint64_t written_bytes_ = 0;
  std::uint64_t written_up_to_ = 0;
  CopyOutcome outcome_;
};

}  // namespace m1
