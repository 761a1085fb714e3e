// More completions than the CQ can hold: 66 NOPs through an SQ of 4 and a CQ of 8, and nothing is
// reaped on the way.
//
// What must hold (IORING_FEAT_NODROP, Linux 5.5):
//  - Nothing is lost. What does not fit waits in the kernel, and all of it comes in order.
//  - The sign of it is the bit IORING_SQ_CQ_OVERFLOW in the *SQ's* flags word. The CQ's `overflow`
//    counter stays 0: it counts completions that were really thrown away, for want of memory.
//  - Room in the CQ alone brings nothing over. An enter with GETEVENTS does, one CQ-full a time.
//
// KERNEL(5.10): an enter that would submit fails with EBUSY while completions are held back. That is
// where "EBUSY means that the SQ is full" comes from; it never meant that. Later kernels take the
// requests all the same.

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include "common/uring/prep.hpp"
#include "common/uring/ring.hpp"
#include "m1_sq_cq/bit_names.hpp"
#include "m1_sq_cq/narrator.hpp"
#include "m1_sq_cq/table.hpp"

namespace m1 {

namespace {

constexpr std::uint32_t kSqEntries = 4;
constexpr std::uint32_t kCqEntries = 8;
constexpr std::uint32_t kNops = 66;

// What has come back so far: user_data must be 0, 1, 2 ...
struct Received {
  std::uint32_t count = 0;
  bool in_order = true;

  void add(std::span<const uring::io_uring_cqe> cqes) {
    for (const uring::io_uring_cqe& cqe : cqes) {
      in_order = in_order && cqe.user_data == count && cqe.res == 0;
      ++count;
    }
  }
};

void add_row(Table& table, uring::Ring& ring, std::uint32_t enters, std::uint32_t submitted,
             const std::string& result) {
  table.row({std::to_string(enters), result, std::to_string(submitted),
             std::to_string(ring.cq().ready()), sq_flag_names(ring.sq().flags()),
             std::to_string(ring.cq().overflow())});
}

class Overflow {
 public:
  Overflow(Narrator& out, uring::Ring& ring) : out_(out), ring_(ring) {}

  // Submits all the NOPs, four an enter.
  base::Result<void> submit_all();
  // Takes what is in the CQ, has the next CQ-full flushed, and so on.
  base::Result<void> reap_all();

  [[nodiscard]] const Received& received() const { return received_; }

 private:
  std::uint32_t take_all() {
    std::array<uring::io_uring_cqe, kCqEntries> cqes;
    const std::uint32_t taken = ring_.cq().copy_out(cqes);
    received_.add(std::span(cqes).first(taken));
    return taken;
  }

  Narrator& out_;
  uring::Ring& ring_;
  Received received_;
  std::uint32_t prepared_ = 0;
};

base::Result<void> Overflow::submit_all() {
  out_.section("Submit %u NOPs and reap nothing (SQ %u, CQ %u)", kNops, ring_.sq().entries(),
               ring_.cq().entries());
  Table table{
      {"enter", Table::Align::Right},     {"result"},   {"submitted", Table::Align::Right},
      {"in the CQ", Table::Align::Right}, {"SQ flags"}, {"overflow counter", Table::Align::Right}};
  std::uint32_t enters = 0;
  std::uint32_t submitted = 0;
  std::uint32_t busy = 0;
  std::uint32_t short_enters = 0;
  bool was_overflowed = false;
  while (submitted < kNops) {
    while (prepared_ < kNops) {
      uring::io_uring_sqe* sqe = ring_.next_sqe();
      if (sqe == nullptr) {
        break;
      }
      uring::prep_nop(*sqe);
      sqe->user_data = prepared_++;
    }
    const std::uint32_t waiting = prepared_ - submitted;
    const auto taken = ring_.submit();
    ++enters;
    if (!taken && taken.error().value == EBUSY) {
      ++busy;
      add_row(table, ring_, enters, submitted, "EBUSY");
      take_all();
      if (const auto flushed = ring_.get_events(); !flushed) {
        return base::fail(flushed.error());
      }
      continue;
    }
    if (!taken) {
      return base::fail(taken.error());
    }
    submitted += *taken;
    short_enters += *taken != waiting ? 1U : 0U;
    const bool is_overflowed = ring_.sq().cq_overflowed();
    if (enters <= 2 || is_overflowed != was_overflowed || submitted == kNops) {
      add_row(table, ring_, enters, submitted, "took " + std::to_string(*taken));
    }
    was_overflowed = is_overflowed;
  }
  table.print();
  if (busy > 0) {
    out_.say(
        "This kernel refused requests with EBUSY %u times while it held completions back, so "
        "some had to be reaped on the way. Newer kernels take them all.",
        busy);
  } else {
    out_.claim(short_enters == 0,
               "no enter failed and none took less than it was given; %u of %u "
               "submitted, %u in the CQ, so the kernel holds %u back",
               submitted, kNops, ring_.cq().ready(), submitted - ring_.cq().ready());
    out_.claim(ring_.sq().cq_overflowed(), "the SQ's flags say so: %s",
               sq_flag_names(ring_.sq().flags()).c_str());
  }
  out_.claim(ring_.cq().overflow() == 0,
             "the CQ's overflow counter is %u: it counts what was really lost",
             ring_.cq().overflow());
  return {};
}

base::Result<void> Overflow::reap_all() {
  out_.section("Reap: empty the CQ, and while the flag is set, enter with GETEVENTS");
  Table table{{"flush", Table::Align::Right},
              {"brought", Table::Align::Right},
              {"so far", Table::Align::Right},
              {"SQ flags after it"}};
  const std::uint32_t in_cq = take_all();
  table.row({"-", std::to_string(in_cq), std::to_string(received_.count),
             sq_flag_names(ring_.sq().flags())});
  const std::uint32_t held_back = kNops - received_.count;
  std::uint32_t flushes = 0;
  bool one_cq_full_each = true;
  while (ring_.sq().cq_overflowed()) {
    one_cq_full_each = one_cq_full_each && ring_.cq().ready() == 0;
    if (const auto flushed = ring_.get_events(); !flushed) {
      return base::fail(flushed.error());
    }
    ++flushes;
    const std::uint32_t expected = std::min(kNops - received_.count, ring_.cq().entries());
    const std::string flags = sq_flag_names(ring_.sq().flags());
    const std::uint32_t taken = take_all();
    if (taken == 0) {
      break;
    }
    one_cq_full_each = one_cq_full_each && taken == expected;
    table.row(
        {std::to_string(flushes), std::to_string(taken), std::to_string(received_.count), flags});
  }
  table.print();
  out_.claim(one_cq_full_each,
             "completions held back: %u, flushes until all had come: %u; each GETEVENTS brings one "
             "CQ-full, and emptying the CQ alone brings none",
             held_back, flushes);
  out_.claim(received_.count == kNops && received_.in_order,
             "all %u of %u completions arrived, in the order of submission", received_.count,
             kNops);
  out_.claim(ring_.cq().overflow() == 0 && !ring_.sq().cq_overflowed(),
             "the flag is clear, and the overflow counter is still %u", ring_.cq().overflow());
  return {};
}

}  // namespace

Status lesson_overflow(const LessonContext& context) {
  Narrator out("overflow");
  auto ring = uring::Ring::create(
      {.sq_entries = kSqEntries, .cq_entries = kCqEntries, .trace = context.trace},
      context.features);
  if (!ring) {
    return out.cannot("set up a ring", ring.error());
  }
  Overflow overflow(out, *ring);
  if (const auto submitted = overflow.submit_all(); !submitted) {
    return out.cannot("submit", submitted.error());
  }
  if (const auto reaped = overflow.reap_all(); !reaped) {
    return out.cannot("have completions flushed", reaped.error());
  }

  out.section("What is said about it, and what is so");
  out.say("\"A full CQ drops completions.\" Not since Linux 5.5: see above.");
  out.say(
      "\"The overflow counter tells.\" It tells of real loss only. The flag bit is the detector.");
  out.say(
      "\"EBUSY means that the SQ is full.\" A full SQ is no error of the kernel's at all: tail - "
      "head is the size, and we see it before we enter.");
  out.say(
      "Ring::reap() does the loop above by itself. It is a safety net and no mode of work: each "
      "completion held back costs the kernel an allocation. Make the CQ large enough.");
  return out.status();
}

}  // namespace m1
