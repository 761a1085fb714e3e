// Indices are 32-bit numbers that only ever grow. A slot is `index & mask`, the fill level is
// `tail - head`, and both stay right when the index runs over 2^32 and starts again at 0.
//
// What must hold: nobody resets an index, compares two of them with <, or stores a masked one. The
// first part runs a real ring through its masks many times. To see 2^32 there one would have to wait
// for four billion requests, so the second part sets the same two queues on plain arrays, two steps
// before the end, with a few lines that play the kernel.

#include <array>
#include <atomic>
#include <string>

#include "common/uring/completion_queue.hpp"
#include "common/uring/prep.hpp"
#include "common/uring/ring.hpp"
#include "common/uring/submission_queue.hpp"
#include "m1_sq_cq/narrator.hpp"
#include "m1_sq_cq/table.hpp"
#include "m1_sq_cq/text.hpp"

namespace m1 {

namespace {

constexpr std::uint32_t kSqEntries = 4;
constexpr std::uint32_t kCqEntries = 8;

// --- A real ring ----------------------------------------------------------------------------------

constexpr std::uint32_t kRounds = 400;
constexpr std::uint32_t kPerRound = 3;  // no divisor of 4: a round starts at each slot in turn
constexpr std::uint32_t kRoundsShown = 5;

std::string slots(std::uint32_t first, std::uint32_t count, std::uint32_t mask) {
  std::string list;
  for (std::uint32_t i = 0; i < count; ++i) {
    list += (i == 0 ? "" : " ") + std::to_string((first + i) & mask);
  }
  return list;
}

// One batch through the ring. Counts the completions that were not the next one expected.
base::Result<std::uint32_t> run_round(uring::Ring& ring, std::uint64_t first_token) {
  for (std::uint32_t i = 0; i < kPerRound; ++i) {
    uring::io_uring_sqe* sqe = ring.next_sqe();
    CHECK(sqe != nullptr, "the SQ is empty at the start of a round");
    uring::prep_nop(*sqe);
    sqe->user_data = first_token + i;
  }
  const auto submitted = ring.submit_and_wait(kPerRound);
  if (!submitted) {
    return base::fail(submitted.error());
  }
  std::array<uring::io_uring_cqe, kPerRound> cqes{};
  const std::uint32_t reaped = ring.reap(cqes);
  std::uint32_t wrong = kPerRound - reaped;
  for (std::uint32_t i = 0; i < reaped; ++i) {
    wrong += cqes[i].user_data != first_token + i ? 1U : 0U;
  }
  return wrong;
}

Status wrap_the_masks(Narrator& out, const LessonContext& context) {
  auto ring = uring::Ring::create(
      {.sq_entries = kSqEntries, .cq_entries = kCqEntries, .trace = context.trace},
      context.features);
  if (!ring) {
    return out.cannot("set up a ring", ring.error());
  }
  const std::uint32_t sq_entries = ring->sq().entries();
  const std::uint32_t cq_entries = ring->cq().entries();
  const std::uint32_t total = kRounds * kPerRound;
  out.section("A real ring: SQ %u, CQ %u, %u NOPs in rounds of %u", sq_entries, cq_entries, total,
              kPerRound);
  out.say("The masks are %u and %u: one less than the sizes, which are powers of two.",
          sq_entries - 1, cq_entries - 1);

  Table table{{"round", Table::Align::Right},
              {"SQ tail", Table::Align::Right},
              {"SQ slots used"},
              {"CQ head", Table::Align::Right},
              {"CQ slots read"}};
  std::uint32_t wrong = 0;
  for (std::uint32_t round = 0; round < kRounds; ++round) {
    const std::uint32_t sq_first = ring->sq().local_tail();
    const std::uint32_t cq_first = ring->cq().shared_head();
    const auto mismatched = run_round(*ring, std::uint64_t{round} * kPerRound);
    if (!mismatched) {
      return out.cannot("run a round", mismatched.error());
    }
    wrong += *mismatched;
    if (round < kRoundsShown || round + 1 == kRounds) {
      table.row({std::to_string(round + 1), std::to_string(ring->sq().local_tail()),
                 slots(sq_first, kPerRound, sq_entries - 1),
                 std::to_string(ring->cq().shared_head()),
                 slots(cq_first, kPerRound, cq_entries - 1)});
    }
  }
  table.print();
  out.claim(wrong == 0, "%u completions came, each with the user_data expected next; %u did not",
            total - wrong, wrong);
  out.claim(
      ring->sq().shared_tail() == total && ring->cq().shared_head() == total,
      "the indices stand at %u and %u: the SQ went round %u times, the CQ %u times, and nobody "
      "ever set them back",
      ring->sq().shared_tail(), ring->cq().shared_head(), ring->sq().shared_tail() / sq_entries,
      ring->cq().shared_head() / cq_entries);
  return out.status();
}

// --- Past 2^32, on arrays -------------------------------------------------------------------------

constexpr std::uint32_t kNearTheEnd = 0xffff'fffe;

// The memory that a kernel would share with us, and the kernel's half of the protocol.
struct ArrayRing {
  std::uint32_t sq_head = kNearTheEnd;
  std::uint32_t sq_tail = kNearTheEnd;
  std::uint32_t sq_flags = 0;
  std::uint32_t sq_dropped = 0;
  std::array<std::uint32_t, kSqEntries> sq_array{};
  std::array<uring::io_uring_sqe, kSqEntries> sqes{};
  std::uint32_t cq_head = kNearTheEnd;
  std::uint32_t cq_tail = kNearTheEnd;
  std::uint32_t cq_overflow = 0;
  std::array<uring::io_uring_cqe, kCqEntries> cqes{};

  uring::SqPointers sq_pointers() {
    return {&sq_head, &sq_tail, &sq_flags, &sq_dropped, sq_array.data(), sqes.data(), kSqEntries};
  }
  uring::CqPointers cq_pointers() {
    return {&cq_head, &cq_tail, &cq_overflow, cqes.data(), kCqEntries};
  }

  // [snippet: wrap_play_kernel]
  // Takes every request and completes it: what io_uring_enter does with NOPs.
  void play_kernel() {
    const std::uint32_t tail = std::atomic_ref(sq_tail).load(std::memory_order_acquire);
    std::uint32_t completed = cq_tail;
    for (std::uint32_t index = sq_head; index != tail; ++index, ++completed) {
      const uring::io_uring_sqe& sqe = sqes[sq_array[index & (kSqEntries - 1)]];
      cqes[completed & (kCqEntries - 1)] = {.user_data = sqe.user_data, .res = 0, .flags = 0};
    }
    std::atomic_ref(sq_head).store(tail, std::memory_order_release);
    std::atomic_ref(cq_tail).store(completed, std::memory_order_release);
  }
  // [/snippet]
};

void add_row(Table& table, const char* step, const ArrayRing& memory) {
  table.row({step, text("0x%08x", memory.sq_head), text("0x%08x", memory.sq_tail),
             std::to_string(memory.sq_tail - memory.sq_head), text("0x%08x", memory.cq_head),
             text("0x%08x", memory.cq_tail), std::to_string(memory.cq_tail - memory.cq_head)});
}

void wrap_the_words(Narrator& out) {
  out.section("Past 2^32: the same queues on arrays, all indices at 0x%08x", kNearTheEnd);
  ArrayRing memory;
  uring::SubmissionQueue sq(memory.sq_pointers(), nullptr);
  uring::CompletionQueue cq(memory.cq_pointers(), nullptr);
  Table table{{"after"},
              {"SQ head"},
              {"SQ tail"},
              {"tail - head", Table::Align::Right},
              {"CQ head"},
              {"CQ tail"},
              {"tail - head", Table::Align::Right}};
  add_row(table, "the start", memory);

  std::uint32_t filled = 0;
  while (uring::io_uring_sqe* sqe = sq.next_sqe()) {
    uring::prep_nop(*sqe);
    sqe->user_data = filled++;
  }
  const std::uint32_t published = sq.publish();
  add_row(table, "4 published", memory);
  const bool tail_is_behind = memory.sq_tail < memory.sq_head;
  const std::uint32_t full_tail = memory.sq_tail;

  memory.play_kernel();
  add_row(table, "the kernel's turn", memory);

  std::array<uring::io_uring_cqe, kCqEntries> cqes{};
  const std::uint32_t reaped = cq.copy_out(cqes);
  add_row(table, "4 reaped", memory);
  table.print();

  out.claim(filled == kSqEntries && published == kSqEntries,
            "the SQ of %u took %u requests and then said that it is full", kSqEntries, filled);
  out.claim(tail_is_behind && full_tail - kNearTheEnd == kSqEntries,
            "as numbers tail (%u) was smaller than head (%u), and tail - head was still %u: the "
            "difference is taken modulo 2^32",
            full_tail, kNearTheEnd, full_tail - kNearTheEnd);
  bool in_order = reaped == kSqEntries;
  for (std::uint32_t i = 0; i < reaped; ++i) {
    in_order = in_order && cqes[i].user_data == i;
  }
  out.claim(in_order, "all %u completions came out, in order, across the end of the numbers",
            reaped);
  out.claim(memory.sq_head == memory.sq_tail && memory.cq_head == memory.cq_tail && cq.ready() == 0,
            "both queues are empty again, at index %u", memory.cq_head);
}

}  // namespace

Status lesson_wrap_around(const LessonContext& context) {
  Narrator out("wrap-around");
  if (const Status status = wrap_the_masks(out, context); status != Status::Ok) {
    return status;
  }
  wrap_the_words(out);
  return out.status();
}

}  // namespace m1
