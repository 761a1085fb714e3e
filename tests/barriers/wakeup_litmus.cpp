// The wake-up of an SQPOLL ring as a litmus test: does a store followed by a load of another word
// stay in order?
//
//   wakeup_litmus ROUNDS STALE_WANTED
//
// Each round, as near to the same moment as two threads can come:
//   application   stores the SQ tail,            then loads the flags   (publish, needs_wakeup)
//   kernel        sets NEED_WAKEUP, full fence,  then loads the tail    (sqpoll.c, io_sq_thread)
// At least one of the two must see the other's store. A round in which neither does is stale: the
// kernel's thread goes to sleep without the SQE, and nobody wakes it. The program ends after ROUNDS
// rounds, or when it has seen STALE_WANTED stale ones (0: never for that reason), and prints how
// many rounds there were and how many of them were stale.
//
// tests/barriers/run builds it twice: with our full fence, and with an acquire-release fence in
// its place.

#include <atomic>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <thread>

#include "tests/barriers/fake_kernel.hpp"

namespace {

constexpr std::uint32_t kRingEntries = 8;

// Two threads that wait for each other. They spin, so that both leave at nearly the same moment.
class MeetingPoint {
 public:
  // `me` is 0 or 1. What either wrote before, both may read after.
  void meet(std::size_t me) {
    const std::uint64_t mine = arrivals_[me].count.load(std::memory_order_relaxed) + 1;
    arrivals_[me].count.store(mine, std::memory_order_release);
    for (std::uint32_t spins = 1; arrivals_[1 - me].count.load(std::memory_order_acquire) < mine;
         ++spins) {
      constexpr std::uint32_t kSpinsBeforeYield = 4096;  // the other may have no CPU
      if (spins % kSpinsBeforeYield == 0) {
        std::this_thread::yield();
      }
    }
  }

 private:
  struct alignas(64) Arrivals {
    std::atomic<std::uint64_t> count = 0;
  };
  Arrivals arrivals_[2];
};

// Shifts the two sides against each other a little, differently in each round: which of them is
// nearer to its store when both start depends on the machine.
class Jitter {
 public:
  explicit Jitter(std::uint32_t seed) : state_(seed) {}
  void wait() {
    state_ = state_ * 1'664'525 + 1'013'904'223;
    for (std::uint32_t left = state_ >> 30; left > 0; --left) {
      std::atomic_signal_fence(std::memory_order_seq_cst);  // no instruction: keeps the loop
    }
  }

 private:
  std::uint32_t state_;
};

class Litmus {
 public:
  void run(std::uint64_t rounds, std::uint64_t stale_wanted) {
    std::thread kernel([this] { kernel_rounds(); });
    Jitter jitter(1);
    bool go_on = true;
    while (go_on) {
      uring::io_uring_sqe* sqe = sq_.next_sqe();
      CHECK(sqe != nullptr, "the kernel takes the SQE of each round");
      meeting_.meet(kApplication);
      jitter.wait();
      static_cast<void>(sq_.publish());
      const bool wake_up_seen = sq_.needs_wakeup();
      meeting_.meet(kApplication);
      ++rounds_;
      stale_ += !wake_up_seen && !tail_seen_ ? 1 : 0;
      go_on = rounds_ < rounds && (stale_wanted == 0 || stale_ < stale_wanted);
      last_round_ = !go_on;
      meeting_.meet(kApplication);
    }
    kernel.join();
  }

  [[nodiscard]] std::uint64_t rounds() const { return rounds_; }
  [[nodiscard]] std::uint64_t stale() const { return stale_; }

 private:
  static constexpr std::size_t kApplication = 0;
  static constexpr std::size_t kKernel = 1;

  void kernel_rounds() {
    Jitter jitter(2);
    while (!last_round_) {
      meeting_.meet(kKernel);
      jitter.wait();
      side_.set_flags(uring::IORING_SQ_NEED_WAKEUP);
      std::atomic_thread_fence(std::memory_order_seq_cst);
      tail_seen_ = side_.has_published();
      meeting_.meet(kKernel);
      side_.clear_flags(uring::IORING_SQ_NEED_WAKEUP);
      CHECK(side_.take(kRingEntries, [](const uring::io_uring_sqe&) {}) == 1);
      meeting_.meet(kKernel);
    }
  }

  fake_kernel::SubmissionSide side_{kRingEntries, 0, fake_kernel::SqArray::Absent};
  uring::SubmissionQueue sq_{side_.pointers(), nullptr};
  MeetingPoint meeting_;
  bool tail_seen_ = false;   // written by the kernel's thread, between two meetings
  bool last_round_ = false;  // written by ours, between two meetings
  std::uint64_t rounds_ = 0;
  std::uint64_t stale_ = 0;
};

bool parse(const char* text, std::uint64_t& value) {
  const std::string_view digits = text;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return error == std::errc() && end == digits.data() + digits.size();
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t rounds = 0;
  std::uint64_t stale_wanted = 0;
  if (argc != 3 || !parse(argv[1], rounds) || rounds == 0 || !parse(argv[2], stale_wanted)) {
    std::fprintf(stderr, "usage: wakeup_litmus ROUNDS STALE_WANTED\n");
    return 2;
  }
  Litmus litmus;
  litmus.run(rounds, stale_wanted);
  std::printf("rounds %llu stale %llu\n", static_cast<unsigned long long>(litmus.rounds()),
              static_cast<unsigned long long>(litmus.stale()));
  return 0;
}
