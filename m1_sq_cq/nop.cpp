// One request all the way round: prepared, published, submitted, completed, reaped.
//
// What must hold: each step moves exactly one index, and each index has exactly one writer.
//   SQ tail  ours        SQ head  the kernel's
//   CQ tail  the kernel's  CQ head  ours
// A NOP does nothing, so all there is to see is the machinery.

#include <array>
#include <cinttypes>
#include <string>

#include "common/uring/prep.hpp"
#include "common/uring/ring.hpp"
#include "m1_sq_cq/narrator.hpp"
#include "m1_sq_cq/table.hpp"

namespace m1 {

namespace {

constexpr std::uint64_t kToken = 0xfeed'0000'0000'0001;

struct Indices {
  std::uint32_t sq_tail_ours;  // how far we have filled, known to nobody else
  std::uint32_t sq_tail;
  std::uint32_t sq_head;
  std::uint32_t cq_tail;
  std::uint32_t cq_head;

  friend bool operator==(const Indices&, const Indices&) = default;
};

Indices read_indices(uring::Ring& ring) {
  return {.sq_tail_ours = ring.sq().local_tail(),
          .sq_tail = ring.sq().shared_tail(),
          .sq_head = ring.sq().shared_head(),
          .cq_tail = ring.cq().shared_tail(),
          .cq_head = ring.cq().shared_head()};
}

void add_row(Table& table, const char* step, const Indices& now) {
  table.row({step, std::to_string(now.sq_tail_ours), std::to_string(now.sq_tail),
             std::to_string(now.sq_head), std::to_string(now.cq_tail),
             std::to_string(now.cq_head)});
}

}  // namespace

Status lesson_nop(const LessonContext& context) {
  Narrator out("nop");
  auto ring = uring::Ring::create({.sq_entries = 4, .trace = context.trace}, context.features);
  if (!ring) {
    return out.cannot("set up a ring", ring.error());
  }
  Table table{{"after"},
              {"our tail", Table::Align::Right},
              {"SQ tail", Table::Align::Right},
              {"SQ head", Table::Align::Right},
              {"CQ tail", Table::Align::Right},
              {"CQ head", Table::Align::Right}};
  const Indices at_start = read_indices(*ring);
  add_row(table, "setup", at_start);

  out.section("1. Prepare: fill a slot of the SQ that the kernel does not look at yet");
  uring::io_uring_sqe* sqe = ring->next_sqe();
  CHECK(sqe != nullptr, "an empty SQ has room");
  uring::prep_nop(*sqe);
  sqe->user_data = kToken;
  const Indices prepared = read_indices(*ring);
  add_row(table, "prepare", prepared);
  out.say(
      "Barrier: none. These are plain writes, and nobody else may look: only our own count of "
      "filled slots has moved.");
  out.claim(prepared == Indices{1, 0, 0, 0, 0},
            "our tail went from %u to %u, the shared SQ tail is still %u", at_start.sq_tail_ours,
            prepared.sq_tail_ours, prepared.sq_tail);

  out.section("2. Publish: store the SQ tail");
  const std::uint32_t to_submit = ring->sq().publish();
  const Indices published = read_indices(*ring);
  add_row(table, "publish", published);
  out.say(
      "Barrier: store-release of the SQ tail, which pairs with the kernel's load-acquire. "
      "Whoever sees the new tail sees the SQE behind it.");
  out.claim(published == Indices{1, 1, 0, 0, 0} && to_submit == 1,
            "the shared SQ tail went from %u to %u: %u request is there to take, and nothing has "
            "been taken",
            prepared.sq_tail, published.sq_tail, to_submit);

  out.section("3. Enter: io_uring_enter(fd, to_submit=%u, min_complete=0, flags=0)", to_submit);
  const auto submitted = ring->submit();
  if (!submitted) {
    return out.cannot("submit the NOP", submitted.error());
  }
  const Indices entered = read_indices(*ring);
  add_row(table, "enter", entered);
  out.say(
      "Barrier: the kernel's. It copies the SQE and store-releases the SQ head (the slot is ours "
      "again), then writes the CQE and store-releases the CQ tail. On this ring both happen "
      "inside our own call: a NOP has nothing to wait for.");
  out.claim(*submitted == 1, "the call returned %u: the requests taken, not the completions",
            *submitted);
  out.claim(entered == Indices{1, 1, 1, 1, 0},
            "SQ head went from %u to %u, CQ tail from %u to %u, in one call", published.sq_head,
            entered.sq_head, published.cq_tail, entered.cq_tail);

  out.section("4. Read the CQE");
  const std::uint32_t ready = ring->cq().ready();
  if (!out.claim(ready == 1, "CQ tail - CQ head says %u completion", ready)) {
    return out.status();
  }
  out.say(
      "Barrier: load-acquire of the CQ tail, which pairs with the kernel's store-release. Seeing "
      "the tail, we see the CQE in front of it.");
  const uring::io_uring_cqe cqe = ring->cq().at(0);
  out.claim(cqe.user_data == kToken,
            "user_data is 0x%016" PRIx64 ", the value of our SQE, untouched",
            std::uint64_t{cqe.user_data});
  out.claim(cqe.res == 0 && cqe.flags == 0, "res is %d, as for every NOP, and flags are 0x%x",
            cqe.res, cqe.flags);

  out.section("5. Give the slot back: store the CQ head");
  std::array<uring::io_uring_cqe, 1> copied{};
  const std::uint32_t count = ring->cq().copy_out(copied);
  const Indices reaped = read_indices(*ring);
  add_row(table, "reap", reaped);
  out.say(
      "Barrier: store-release of the CQ head. Our reads of the CQE are over before the kernel may "
      "write the next one into its slot; that is why copy_out() copies it first.");
  out.claim(count == 1 && copied[0].user_data == kToken,
            "our copy stays ours: user_data 0x%016" PRIx64, std::uint64_t{copied[0].user_data});
  out.claim(reaped == Indices{1, 1, 1, 1, 1},
            "CQ head went from %u to %u: both rings are empty again, at index %u", entered.cq_head,
            reaped.cq_head, reaped.cq_head);

  out.section("All the steps");
  table.print();
  return out.status();
}

}  // namespace m1
