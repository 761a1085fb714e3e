// 16 requests, one system call, and each completion found by its user_data.
//
// What must hold:
//  - This lesson enters the kernel once: io_uring_enter(fd, 16, 16, GETEVENTS) submits all and waits
//    for all. (Finding out what the kernel can do, before the lesson, makes a few trial enters on
//    rings of its own, each with to_submit 0 or 1.)
//  - user_data is all that ties a completion to its request. Completions come in the order in which
//    the work ends: the first request of this batch waits for the last one.

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cinttypes>
#include <optional>
#include <string>

#include "common/base/unique_fd.hpp"
#include "common/uring/opcode_name.hpp"
#include "common/uring/prep.hpp"
#include "common/uring/ring.hpp"
#include "m1_sq_cq/narrator.hpp"
#include "m1_sq_cq/table.hpp"
#include "m1_sq_cq/text.hpp"

namespace m1 {

namespace {

constexpr std::uint32_t kBatch = 16;
// Any number will do that tells the requests apart. This one is no index by accident.
constexpr std::uint64_t kTokenBase = 0xba7c'0000;

struct Request {
  std::uint8_t opcode = 0;
  std::int32_t res = 0;
  int completions = 0;
};
using Batch = std::array<Request, kBatch>;

// [snippet: batching_request_of]
// The index of the request, or none for a user_data that we never gave.
std::optional<std::uint32_t> request_of(std::uint64_t user_data) {
  const std::uint64_t index = user_data - kTokenBase;
  return index < kBatch ? std::optional(static_cast<std::uint32_t>(index)) : std::nullopt;
}
// [/snippet]

// A read from an empty pipe first, NOPs, and last the write that the read waits for.
Batch prepare_batch(uring::Ring& ring, int read_end, int write_end, std::span<std::byte> into,
                    std::span<const std::byte> from) {
  Batch batch{};
  for (std::uint32_t i = 0; i < kBatch; ++i) {
    uring::io_uring_sqe* sqe = ring.next_sqe();
    CHECK(sqe != nullptr, "the SQ has a slot for each");
    if (i == 0) {
      uring::prep_read(*sqe, read_end, into, 0);
    } else if (i == kBatch - 1) {
      uring::prep_write(*sqe, write_end, from, 0);
    } else {
      uring::prep_nop(*sqe);
    }
    sqe->user_data = kTokenBase + i;
    batch[i].opcode = sqe->opcode;
  }
  return batch;
}

}  // namespace

Status lesson_batching(const LessonContext& context) {
  Narrator out("batching");
  std::array<int, 2> pipe_fds{};
  if (::pipe2(pipe_fds.data(), O_CLOEXEC) != 0) {
    return out.cannot("make a pipe", base::last_error());
  }
  const base::UniqueFd read_end(pipe_fds[0]);
  const base::UniqueFd write_end(pipe_fds[1]);
  // Before the ring, so that they outlive it: a read in flight may still write into its buffer.
  const std::array sent = {std::byte{'r'}, std::byte{'i'}, std::byte{'n'}, std::byte{'g'}};
  std::array<std::byte, 16> received{};
  auto ring = uring::Ring::create({.sq_entries = kBatch, .trace = context.trace}, context.features);
  if (!ring) {
    return out.cannot("set up a ring", ring.error());
  }

  out.section("Prepare %u requests", kBatch);
  Batch batch = prepare_batch(*ring, read_end.get(), write_end.get(), received, sent);
  out.say(
      "Number 0 reads from an empty pipe, number %u writes to it, the others are NOPs. "
      "user_data is 0x%" PRIx64 " plus the number.",
      kBatch - 1, kTokenBase);
  out.claim(ring->sq().unpublished() == kBatch, "%u SQEs are filled, none is published",
            ring->sq().unpublished());

  out.section("One system call: io_uring_enter(fd, to_submit=%u, min_complete=%u, GETEVENTS)",
              kBatch, kBatch);
  const auto submitted = ring->submit_and_wait(kBatch);
  if (!submitted) {
    return out.cannot("submit the batch", submitted.error());
  }
  const std::uint32_t ready = ring->cq().ready();
  out.claim(*submitted == kBatch, "it took %u requests", *submitted);
  out.claim(ready == kBatch, "it returned when %u completions were there", ready);

  out.section("Match them");
  Table table{{"arrival", Table::Align::Right},
              {"user_data", Table::Align::Right},
              {"request", Table::Align::Right},
              {"opcode"},
              {"res", Table::Align::Right}};
  std::array<uring::io_uring_cqe, kBatch> cqes;
  const std::uint32_t reaped = ring->reap(cqes);
  std::uint32_t unknown = 0;
  bool in_order = true;
  for (std::uint32_t arrival = 0; arrival < reaped; ++arrival) {
    const uring::io_uring_cqe& cqe = cqes[arrival];
    const auto index = request_of(cqe.user_data);
    if (!index) {
      ++unknown;
      continue;
    }
    in_order = in_order && *index == arrival;
    Request& request = batch[*index];
    request.res = cqe.res;
    ++request.completions;
    table.row({std::to_string(arrival), text("0x%" PRIx64, std::uint64_t{cqe.user_data}),
               std::to_string(*index), uring::opcode_name(request.opcode),
               std::to_string(cqe.res)});
  }
  table.print();

  std::uint32_t missing = 0;
  std::uint32_t duplicates = 0;
  std::uint32_t failed = 0;
  for (const Request& request : batch) {
    missing += request.completions == 0 ? 1U : 0U;
    duplicates += request.completions > 1 ? 1U : 0U;
    failed += request.res < 0 ? 1U : 0U;
  }
  out.claim(missing == 0 && duplicates == 0 && unknown == 0,
            "each request has its completion: %u missing, %u twice, %u of nobody", missing,
            duplicates, unknown);
  out.claim(failed == 0, "%u of them failed", failed);
  out.claim(batch.front().res == static_cast<std::int32_t>(sent.size()),
            "request 0 read the %d bytes that request %u wrote: it ended after it",
            batch.front().res, kBatch - 1);
  out.say(in_order ? "This time they came in the order of submission. Nothing promises that."
                   : "They did not come in the order of submission. Nothing promises that.");
  return out.status();
}

}  // namespace m1
