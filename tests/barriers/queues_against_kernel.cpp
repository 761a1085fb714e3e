// One of our queues against the fake kernel on another thread: millions of entries through a ring
// of 8, with indices that run through 2^32.
//
//   queues_against_kernel sq|cq|buffers ENTRIES
//
// Built with -fsanitize=thread by tests/barriers/run, once with our orders and once with each of
// them weakened. The two threads meet in the queue under test and nowhere else, because every other
// meeting would order their accesses, too, and hide what is missing. Every entry carries its
// sequence number in several fields, so that a torn or stale entry is seen even where no race is
// reported. Exit status: 0 all right, 1 a wrong value, 66 (set by the runner) a reported race.

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <thread>

#include "tests/barriers/fake_kernel.hpp"

namespace {

constexpr std::uint32_t kRingEntries = 8;
constexpr std::uint32_t kFirstIndex = 0xffff'ff00;  // crosses 2^32 after 256 entries

// Batch sizes 1..kRingEntries, without a period that could lock the two threads into one rhythm.
class BatchSizes {
 public:
  explicit BatchSizes(std::uint32_t seed) : state_(seed) {}
  [[nodiscard]] std::uint32_t next() {
    state_ = state_ * 1'664'525 + 1'013'904'223;
    return 1 + (state_ >> 29);
  }

 private:
  std::uint32_t state_;
};

[[nodiscard]] std::uint64_t scrambled(std::uint64_t sequence) {
  return sequence * 0x9e37'79b9'7f4a'7c15;
}

// What one thread found wrong. Read by the other after the join.
class Verdict {
 public:
  void expect(bool as_written, std::uint64_t sequence) {
    if (!as_written && wrong_++ == 0) {
      first_wrong_ = sequence;
    }
  }
  [[nodiscard]] bool report(std::uint64_t entries) const {
    if (wrong_ > 0) {
      std::printf("wrong value: %llu of %llu entries, the first is entry %llu\n",
                  static_cast<unsigned long long>(wrong_), static_cast<unsigned long long>(entries),
                  static_cast<unsigned long long>(first_wrong_));
      return false;
    }
    std::printf("%llu entries arrived as they were written\n",
                static_cast<unsigned long long>(entries));
    return true;
  }

 private:
  std::uint64_t wrong_ = 0;
  std::uint64_t first_wrong_ = 0;
};

// We submit, the kernel takes: the order of the SQ's tail on the way there, of its head on the way
// back.
bool submission_queue(std::uint64_t entries) {
  fake_kernel::SubmissionSide side(kRingEntries, kFirstIndex);
  uring::SubmissionQueue sq(side.pointers(), nullptr);
  Verdict verdict;

  std::thread kernel([&] {
    BatchSizes batch(2);
    for (std::uint64_t sequence = 0; sequence < entries;) {
      const std::uint32_t taken = side.take(batch.next(), [&](const uring::io_uring_sqe& sqe) {
        verdict.expect(sqe.user_data == sequence && sqe.addr == scrambled(sequence) &&
                           sqe.len == static_cast<std::uint32_t>(sequence),
                       sequence);
        ++sequence;
      });
      if (taken == 0) {
        std::this_thread::yield();
      }
    }
  });

  BatchSizes batch(1);
  for (std::uint64_t sequence = 0; sequence < entries;) {
    for (std::uint32_t left = batch.next(); left > 0 && sequence < entries; --left) {
      uring::io_uring_sqe* sqe = sq.next_sqe();
      if (sqe == nullptr) {
        std::this_thread::yield();
        break;
      }
      sqe->user_data = sequence;
      sqe->addr = scrambled(sequence);
      sqe->len = static_cast<std::uint32_t>(sequence);
      ++sequence;
    }
    static_cast<void>(sq.publish());
  }
  kernel.join();
  return verdict.report(entries);
}

// The kernel completes, we reap: the order of the CQ's tail on the way to us, of its head on the
// way back.
bool completion_queue(std::uint64_t entries) {
  fake_kernel::CompletionSide side(kRingEntries, kFirstIndex);
  uring::CompletionQueue cq(side.pointers(), nullptr);
  Verdict verdict;

  std::thread kernel([&] {
    BatchSizes batch(2);
    for (std::uint64_t sequence = 0; sequence < entries;) {
      for (std::uint32_t left = batch.next(); left > 0 && sequence < entries; --left) {
        const uring::io_uring_cqe cqe{.user_data = sequence,
                                      .res = static_cast<std::int32_t>(scrambled(sequence) >> 32),
                                      .flags = static_cast<std::uint32_t>(sequence)};
        if (!side.post(cqe)) {
          std::this_thread::yield();
          break;
        }
        ++sequence;
      }
      side.commit();
    }
  });

  BatchSizes batch(1);
  std::array<uring::io_uring_cqe, kRingEntries> reaped;
  for (std::uint64_t sequence = 0; sequence < entries;) {
    const std::uint32_t count = cq.copy_out(std::span(reaped).first(batch.next()));
    if (count == 0) {
      std::this_thread::yield();
    }
    for (const uring::io_uring_cqe& cqe : std::span(reaped).first(count)) {
      verdict.expect(cqe.user_data == sequence &&
                         cqe.res == static_cast<std::int32_t>(scrambled(sequence) >> 32) &&
                         cqe.flags == static_cast<std::uint32_t>(sequence),
                     sequence);
      ++sequence;
    }
  }
  kernel.join();
  return verdict.report(entries);
}

// We provide buffers, the kernel takes them and tells us by completions. The CQ is eight times as
// long as the buffer ring: the fake kernel reads the CQ's head only once per round of it, so most
// buffers travel with no order but that of the buffer ring's tail.
bool buffer_ring(std::uint64_t entries) {
  constexpr std::uint32_t kCqEntries = 8 * kRingEntries;
  fake_kernel::BufferSide side(kRingEntries);
  fake_kernel::CompletionSide completion_side(kCqEntries, kFirstIndex);
  uring::BufferRing buffers(side.ring(), kRingEntries);
  uring::CompletionQueue cq(completion_side.pointers(), nullptr);
  Verdict verdict;

  std::thread kernel([&] {
    for (std::uint64_t sequence = 0; sequence < entries;) {
      const auto buffer = side.take();
      if (!buffer) {
        std::this_thread::yield();
        continue;
      }
      const uring::io_uring_cqe cqe{
          .user_data = buffer->addr,
          .res = static_cast<std::int32_t>(buffer->len),
          .flags = uring::IORING_CQE_F_BUFFER | std::uint32_t{buffer->bid}
                                                    << uring::IORING_CQE_BUFFER_SHIFT};
      while (!completion_side.post(cqe)) {
        std::this_thread::yield();
      }
      completion_side.commit();
      ++sequence;
    }
  });

  // A buffer's length is the round in which it was given, so that an entry of a round before shows.
  std::array<std::array<char, 16>, kRingEntries> memory;
  std::array<std::uint32_t, kRingEntries> round{};
  for (std::uint16_t id = 0; id < kRingEntries; ++id) {
    buffers.add(memory[id].data(), round[id], id);
  }
  buffers.publish();
  std::array<uring::io_uring_cqe, kRingEntries> reaped;
  for (std::uint64_t sequence = 0; sequence < entries;) {
    const std::uint32_t count = cq.copy_out(reaped);
    if (count == 0) {
      std::this_thread::yield();
      continue;
    }
    for (const uring::io_uring_cqe& cqe : std::span(reaped).first(count)) {
      const std::uint32_t id = cqe.flags >> uring::IORING_CQE_BUFFER_SHIFT;
      const bool known = id < kRingEntries;
      verdict.expect(known && cqe.user_data == reinterpret_cast<std::uintptr_t>(&memory[id]) &&
                         cqe.res == static_cast<std::int32_t>(round[id]),
                     sequence);
      ++sequence;
      const std::uint32_t again = known ? id : 0;
      buffers.add(memory[again].data(), ++round[again], static_cast<std::uint16_t>(again));
    }
    buffers.publish();
  }
  kernel.join();
  return verdict.report(entries);
}

}  // namespace

int main(int argc, char** argv) {
  constexpr int kUsage = 2;
  const std::string_view direction = argc == 3 ? argv[1] : "";
  const std::string_view count = argc == 3 ? argv[2] : "";
  std::uint64_t entries = 0;
  std::from_chars(count.data(), count.data() + count.size(), entries);
  if (entries > 0 && direction == "sq") {
    return submission_queue(entries) ? 0 : 1;
  }
  if (entries > 0 && direction == "cq") {
    return completion_queue(entries) ? 0 : 1;
  }
  if (entries > 0 && direction == "buffers") {
    return buffer_ring(entries) ? 0 : 1;
  }
  std::fprintf(stderr, "usage: queues_against_kernel sq|cq|buffers ENTRIES\n");
  return kUsage;
}
