// A look into both rings that consumes nothing: what is in each slot, and whose it is.
//
// What must hold: looking is loading. The dump stores to no shared word, takes no completion and
// enters no kernel, so the rings are byte for byte the same after it. That makes it a tool for a
// debugger session and for a report on SIGUSR1.

#include <algorithm>
#include <array>
#include <cinttypes>
#include <string>
#include <vector>

#include "common/uring/opcode_name.hpp"
#include "common/uring/prep.hpp"
#include "common/uring/ring.hpp"
#include "m1_sq_cq/bit_names.hpp"
#include "m1_sq_cq/narrator.hpp"
#include "m1_sq_cq/process_view.hpp"
#include "m1_sq_cq/table.hpp"
#include "m1_sq_cq/text.hpp"

namespace m1 {

namespace {

constexpr std::uint32_t kSqEntries = 8;
constexpr std::uint64_t kTokenBase = 0xa0;

// --- The dump -------------------------------------------------------------------------------------

std::string slot_name(std::uint32_t index, std::uint32_t entries) {
  return text("%u -> slot %u", index, index & (entries - 1));
}

void dump_sq(Narrator& out, const uring::SubmissionQueue& sq) {
  const std::uint32_t head = sq.shared_head();
  const std::uint32_t tail = sq.shared_tail();
  out.line("SQ  head %s   tail %s   ours %s   flags %s", slot_name(head, sq.entries()).c_str(),
           slot_name(tail, sq.entries()).c_str(), slot_name(sq.local_tail(), sq.entries()).c_str(),
           sq_flag_names(sq.flags()).c_str());
  Table table{{"index", Table::Align::Right},
              {"slot", Table::Align::Right},
              {"opcode"},
              {"user_data", Table::Align::Right},
              {"state"}};
  // The whole ring, oldest slot first: what was there a round ago shows until it is written over.
  const std::uint32_t oldest = sq.local_tail() - std::min(sq.local_tail(), sq.entries());
  for (std::uint32_t index = oldest; index != sq.local_tail(); ++index) {
    const uring::io_uring_sqe& sqe = sq.sqe_at(index);
    const char* opcode = uring::opcode_name(sqe.opcode);
    // [snippet: peek_state]
    // Distances from the head, never `index < tail`: the indices wrap at 2^32.
    const bool is_filled = sq.local_tail() - index <= sq.local_tail() - head;
    const bool is_published = is_filled && index - head < tail - head;
    // [/snippet]
    table.row({std::to_string(index), std::to_string(index & (sq.entries() - 1)),
               opcode != nullptr ? opcode : std::to_string(sqe.opcode),
               text("0x%" PRIx64, std::uint64_t{sqe.user_data}),
               is_published ? "published, not taken"
               : is_filled  ? "filled, not published"
                            : "taken"});
  }
  table.print();
}

void dump_cq(Narrator& out, const uring::CompletionQueue& cq) {
  out.line("CQ  head %s   tail %s   overflow counter %u",
           slot_name(cq.shared_head(), cq.entries()).c_str(),
           slot_name(cq.shared_tail(), cq.entries()).c_str(), cq.overflow());
  Table table{{"index", Table::Align::Right},
              {"slot", Table::Align::Right},
              {"user_data", Table::Align::Right},
              {"res", Table::Align::Right},
              {"flags", Table::Align::Right}};
  const std::uint32_t ready = cq.ready();
  for (std::uint32_t i = 0; i < ready; ++i) {
    const uring::io_uring_cqe& cqe = cq.at(i);
    const std::uint32_t index = cq.shared_head() + i;
    table.row({std::to_string(index), std::to_string(index & (cq.entries() - 1)),
               text("0x%" PRIx64, std::uint64_t{cqe.user_data}), std::to_string(cqe.res),
               text("0x%x", cqe.flags)});
  }
  table.print();
}

// --- The proof that it consumed nothing -----------------------------------------------------------

// Every byte that is shared with the kernel.
std::vector<std::byte> snapshot(const uring::RingMapping& mapping) {
  std::vector<std::byte> bytes;
  for (const uring::MappedRegion* map : {&mapping.sq_ring(), &mapping.cq_ring(), &mapping.sqes()}) {
    bytes.insert(bytes.end(), map->bytes().begin(), map->bytes().end());
  }
  return bytes;
}

void compare_with_fdinfo(Narrator& out, uring::Ring& ring) {
  const std::string info = fdinfo(ring.fd());
  const auto sq_head = number_after(info, "SqHead");
  const auto sq_tail = number_after(info, "SqTail");
  const auto cq_head = number_after(info, "CqHead");
  const auto cq_tail = number_after(info, "CqTail");
  if (!sq_head || !sq_tail || !cq_head || !cq_tail) {
    out.say("This kernel does not show the indices in /proc/self/fdinfo (newer ones do).");
    return;
  }
  out.claim(*sq_head == ring.sq().shared_head() && *sq_tail == ring.sq().shared_tail() &&
                *cq_head == ring.cq().shared_head() && *cq_tail == ring.cq().shared_tail(),
            "/proc/self/fdinfo/%d says the same: SqHead %" PRIu64 ", SqTail %" PRIu64
            ", CqHead %" PRIu64 ", CqTail %" PRIu64,
            ring.fd(), *sq_head, *sq_tail, *cq_head, *cq_tail);
}

void prepare_nops(uring::Ring& ring, std::uint32_t first, std::uint32_t count) {
  for (std::uint32_t i = first; i < first + count; ++i) {
    uring::io_uring_sqe* sqe = ring.next_sqe();
    CHECK(sqe != nullptr, "six requests fit into eight slots");
    uring::prep_nop(*sqe);
    sqe->user_data = kTokenBase + i;
  }
}

}  // namespace

Status lesson_peek(const LessonContext& context) {
  Narrator out("peek");
  auto ring =
      uring::Ring::create({.sq_entries = kSqEntries, .trace = context.trace}, context.features);
  if (!ring) {
    return out.cannot("set up a ring", ring.error());
  }

  out.section("Rings in the middle of their work");
  prepare_nops(*ring, 0, 3);
  if (const auto submitted = ring->submit(); !submitted) {
    return out.cannot("submit three NOPs", submitted.error());
  }
  prepare_nops(*ring, 3, 2);
  ring->sq().publish();
  prepare_nops(*ring, 5, 1);
  out.say(
      "Three NOPs are submitted and their completions not read, two more are published and not "
      "submitted, one is only filled.");

  out.section("The dump");
  const std::vector<std::byte> before = snapshot(ring->mapping());
  dump_sq(out, ring->sq());
  dump_cq(out, ring->cq());
  const std::vector<std::byte> after = snapshot(ring->mapping());
  const auto differing = static_cast<std::size_t>(std::ranges::count_if(
      before, [&, i = std::size_t{0}](std::byte byte) mutable { return byte != after[i++]; }));

  out.section("Nothing was consumed");
  out.claim(differing == 0 && before.size() == after.size(),
            "of %zu shared bytes, %zu differ from before the dump", before.size(), differing);
  compare_with_fdinfo(out, *ring);
  out.claim(ring->cq().ready() == 3 && ring->sq().pending() == 3,
            "%u completions are still to be read, %u requests still to be submitted",
            ring->cq().ready(), ring->sq().pending());

  out.section("And now they are consumed");
  std::array<uring::io_uring_cqe, kSqEntries> cqes{};
  if (const auto submitted = ring->submit_and_wait(6); !submitted) {
    return out.cannot("submit the rest", submitted.error());
  }
  const std::uint32_t taken = ring->reap(cqes);
  bool in_order = true;
  for (std::uint32_t i = 0; i < taken; ++i) {
    in_order = in_order && cqes[i].user_data == kTokenBase + i;
  }
  out.claim(taken == 6 && in_order, "%u completions, of the very requests that the dump showed",
            taken);
  out.claim(ring->cq().ready() == 0 && ring->sq().pending() == 0, "both rings are empty");
  return out.status();
}

}  // namespace m1
