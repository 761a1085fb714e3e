// Provided buffers: a request says which group it reads into, and the kernel chooses the buffer when
// the data is there. So a thousand waiting connections need no thousand buffers.
//
// What must hold:
//  - Which buffer it was stands in the CQE: IORING_CQE_F_BUFFER, and the id in the upper 16 bits of
//    the flags. A completion without that bit (the end, an error) brought no buffer.
//  - With no buffer left the request ends with -ENOBUFS. The data stays where it is, and nothing
//    happens by itself when buffers come back: the request must be made again.
//  - Buffers go back in batches: one store of the buffer ring's tail for all of them.
//
// The same lines run on a buffer ring (Linux 5.19) and, without one, on PROVIDE_BUFFERS requests.

#include "common/uring/provided_buffers.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "common/support/write_all.hpp"
#include "common/uring/prep.hpp"
#include "common/uring/ring.hpp"
#include "m1_sq_cq/completions.hpp"
#include "m1_sq_cq/narrator.hpp"
#include "m1_sq_cq/table.hpp"
#include "m1_sq_cq/text.hpp"

namespace m1 {

namespace {

constexpr std::uint16_t kGroup = 7;
constexpr std::uint32_t kBuffers = 16;
constexpr std::uint32_t kBufferBytes = 64;
// Fewer than a quarter with the kernel: time to give some back. Waiting any longer risks ENOBUFS,
// giving back each one alone costs a store (or a request) per buffer.
constexpr std::uint32_t kLowMark = kBuffers / 4;

std::string message_number(std::uint32_t number) {
  return text("message %u", number);
}

std::string as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class ProvidedBuffersLesson {
 public:
  ProvidedBuffersLesson(Narrator& out, uring::Ring& ring, uring::ProvidedBuffers& buffers,
                        base::UniqueFd near, base::UniqueFd far)
      : out_(out), ring_(ring), buffers_(buffers), near_(std::move(near)), far_(std::move(far)) {}

  // False: going on makes no sense, and why has been said.
  bool kernel_chooses();
  bool run_dry();
  bool recover();
  bool replenish_in_batches();
  void end_of_stream();

 private:
  // The far side sends one message; a packet socket keeps messages apart.
  [[nodiscard]] bool send(const std::string& message);
  // One receive that lets the kernel choose from the group.
  [[nodiscard]] std::optional<uring::io_uring_cqe> receive();
  // Sends the next message, receives it, and takes the buffer that it came in.
  [[nodiscard]] bool exchange();
  [[nodiscard]] bool publish();

  Narrator& out_;
  uring::Ring& ring_;
  uring::ProvidedBuffers& buffers_;
  base::UniqueFd near_;
  base::UniqueFd far_;
  std::uint32_t next_message_ = 0;
  std::vector<std::uint16_t> held_;  // buffers that are ours now, in the order in which they came
  std::uint32_t wrong_messages_ = 0;
};

bool ProvidedBuffersLesson::send(const std::string& message) {
  const auto sent = support::write_all(far_.get(), std::as_bytes(std::span(message)));
  if (!sent) {
    static_cast<void>(out_.cannot("write to the socket", sent.error()));
  }
  return sent.has_value();
}

std::optional<uring::io_uring_cqe> ProvidedBuffersLesson::receive() {
  uring::io_uring_sqe* sqe = ring_.next_sqe();
  CHECK(sqe != nullptr, "one receive at a time, and what publish() queued");
  uring::prep_recv_select(*sqe, near_.get(), buffers_.group(), 0);
  const auto cqes = collect(ring_, 1);
  if (!cqes) {
    static_cast<void>(out_.cannot("submit a receive and wait for it", cqes.error()));
    return std::nullopt;
  }
  return cqes->front();
}

bool ProvidedBuffersLesson::exchange() {
  const std::string message = message_number(next_message_++);
  if (!send(message)) {
    return false;
  }
  const auto cqe = receive();
  if (!cqe) {
    return false;
  }
  if ((cqe->flags & uring::IORING_CQE_F_BUFFER) == 0) {
    return out_.claim(false, "a message brings a buffer: res is %d, flags 0x%x", cqe->res,
                      cqe->flags);
  }
  wrong_messages_ += as_text(buffers_.take(*cqe)) == message ? 0U : 1U;
  held_.push_back(uring::ProvidedBuffers::buffer_id(*cqe));
  return true;
}

bool ProvidedBuffersLesson::publish() {
  const auto published = buffers_.publish();
  if (!published) {
    static_cast<void>(out_.cannot("give buffers back", published.error()));
  }
  return published.has_value();
}

// --- the steps -----------------------------------------------------------------------------------

bool ProvidedBuffersLesson::kernel_chooses() {
  out_.section("A group of %u buffers, and a receive that names the group", buffers_.count());
  out_.say("Group %u, %u bytes each, %s. The number of the group is ours to choose.",
           unsigned{buffers_.group()}, buffers_.buffer_size(),
           buffers_.uses_buffer_ring()
               ? "handed over in a buffer ring: memory that we share with the kernel"
               : "handed over by PROVIDE_BUFFERS requests, since there is no buffer ring here");
  out_.claim(buffers_.with_kernel() == buffers_.count(), "all %u are with the kernel",
             buffers_.with_kernel());

  const std::string message = message_number(next_message_++);
  if (!send(message)) {
    return false;
  }
  const auto cqe = receive();
  if (!cqe) {
    return false;
  }
  if (!out_.claim((cqe->flags & uring::IORING_CQE_F_BUFFER) != 0,
                  "the CQE has F_BUFFER: res is %d, flags are 0x%08x", cqe->res, cqe->flags)) {
    return false;
  }
  const std::uint16_t id = uring::ProvidedBuffers::buffer_id(*cqe);
  const std::string seen = as_text(buffers_.take(*cqe));
  held_.push_back(id);
  out_.claim(id < buffers_.count(), "flags >> 16 is the buffer's id: %u", unsigned{id});
  out_.claim(seen == message, "that buffer holds \"%s\", which is what was sent", seen.c_str());
  out_.claim(buffers_.with_kernel() == buffers_.count() - 1,
             "it is ours now, and %u are with the kernel", buffers_.with_kernel());
  return true;
}

bool ProvidedBuffersLesson::run_dry() {
  out_.section("Keep every buffer, until there is none left");
  while (buffers_.with_kernel() > 0) {
    if (!exchange()) {
      return false;
    }
  }
  const std::set<std::uint16_t> different(held_.begin(), held_.end());
  out_.claim(held_.size() == buffers_.count() && different.size() == held_.size(),
             "%zu messages came in %zu different buffers", held_.size(), different.size());
  out_.claim(wrong_messages_ == 0, "each in the buffer that its CQE named: %u were elsewhere",
             wrong_messages_);

  if (!send(message_number(next_message_))) {
    return false;
  }
  const auto cqe = receive();
  if (!cqe) {
    return false;
  }
  return out_.claim(cqe->res == -ENOBUFS && (cqe->flags & uring::IORING_CQE_F_BUFFER) == 0,
                    "one more message: res is %d (%s), and no buffer", cqe->res,
                    cqe->res < 0 ? base::Errno{-cqe->res}.name() : "no error");
}

bool ProvidedBuffersLesson::recover() {
  out_.section("Recover from ENOBUFS");
  const std::uint16_t first = held_.front();
  held_.erase(held_.begin());
  buffers_.give_back(first);
  if (!publish()) {
    return false;
  }
  // Without a buffer ring, giving back is a request, which has to be submitted.
  if (const auto submitted = ring_.submit(); !submitted) {
    static_cast<void>(out_.cannot("submit", submitted.error()));
    return false;
  }
  if (const auto flushed = ring_.get_events(); !flushed) {
    static_cast<void>(out_.cannot("have completions posted", flushed.error()));
    return false;
  }
  std::array<uring::io_uring_cqe, 4> cqes;
  const std::uint32_t completions = ring_.reap(cqes);
  out_.claim(completions == 0,
             "buffer %u went back: %u completions, since the request that failed is over",
             unsigned{first}, completions);
  const auto cqe = receive();
  if (!cqe) {
    return false;
  }
  if (!out_.claim((cqe->flags & uring::IORING_CQE_F_BUFFER) != 0,
                  "a new receive gets a buffer: res is %d", cqe->res)) {
    return false;
  }
  const std::string seen = as_text(buffers_.take(*cqe));
  held_.push_back(uring::ProvidedBuffers::buffer_id(*cqe));
  return out_.claim(seen == message_number(next_message_++),
                    "the message had waited in the socket: \"%s\"", seen.c_str());
}

bool ProvidedBuffersLesson::replenish_in_batches() {
  constexpr std::uint32_t kMessages = 100;
  out_.section("Give back in batches: below %u of %u", kLowMark, kBuffers);
  Table table({{"before message", Table::Align::Right},
               {"with the kernel", Table::Align::Right},
               {"given back", Table::Align::Right},
               {"then with the kernel", Table::Align::Right}});
  std::uint32_t batches = 0;
  std::uint32_t given_back = 0;
  for (std::uint32_t sent = 0; sent < kMessages; ++sent) {
    // [snippet: provided_replenish]
    if (buffers_.with_kernel() < kLowMark) {
      const std::uint32_t low = buffers_.with_kernel();
      for (const std::uint16_t id : held_) {
        buffers_.give_back(id);
      }
      const std::uint32_t batch = buffers_.queued();
      held_.clear();
      if (!publish()) {
        return false;
      }
      ++batches;
      given_back += batch;
      table.row({std::to_string(sent + 1), std::to_string(low), std::to_string(batch),
                 std::to_string(buffers_.with_kernel())});
    }
    // [/snippet]
    if (!exchange()) {
      return false;
    }
  }
  table.print();
  out_.claim(wrong_messages_ == 0, "%u messages came, none of them in a wrong buffer", kMessages);
  out_.claim(
      given_back > kBuffers && batches < given_back,
      "%u buffers went back in %u batches%s: no ENOBUFS, and the %u buffers served %u messages",
      given_back, batches,
      buffers_.uses_buffer_ring() ? ", each with one store of the buffer ring's tail" : "",
      kBuffers, next_message_);
  return true;
}

void ProvidedBuffersLesson::end_of_stream() {
  out_.section("The end of the stream");
  const std::uint32_t before = buffers_.with_kernel();
  far_.reset();
  const auto cqe = receive();
  if (!cqe) {
    return;
  }
  out_.claim(cqe->res == 0, "the other side has closed: res is %d, flags are 0x%x", cqe->res,
             cqe->flags);
  if ((cqe->flags & uring::IORING_CQE_F_BUFFER) != 0) {
    // KERNEL(5.10): a buffer is chosen before the end is seen, and comes along empty.
    const std::size_t bytes = buffers_.take(*cqe).size();
    held_.push_back(uring::ProvidedBuffers::buffer_id(*cqe));
    out_.claim(
        bytes == 0 && buffers_.with_kernel() + 1 == before,
        "on this kernel it brings a buffer all the same, with %zu bytes in it: F_BUFFER says "
        "so, and the buffer is ours to give back",
        bytes);
    return;
  }
  out_.claim(
      buffers_.with_kernel() == before,
      "no F_BUFFER, so nothing is to be given back: %u buffers are with the kernel, as before",
      before);
}

}  // namespace

Status lesson_provided_buffers(const LessonContext& context) {
  Narrator out("provided-buffers");
  std::array<int, 2> fds{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds.data()) != 0) {
    return out.cannot("make a pair of sockets", base::last_error());
  }
  base::UniqueFd near(fds[0]);
  base::UniqueFd far(fds[1]);
  // The SQ has room for a receive and, without a buffer ring, a request per run of buffers.
  auto ring =
      uring::Ring::create({.sq_entries = 2 * kBuffers, .trace = context.trace}, context.features);
  if (!ring) {
    return out.cannot("set up a ring", ring.error());
  }
  auto buffers = uring::ProvidedBuffers::create(
      *ring, context.features, {.group = kGroup, .count = kBuffers, .buffer_size = kBufferBytes});
  if (!buffers) {
    return out.cannot("provide buffers", buffers.error());
  }
  ProvidedBuffersLesson lesson(out, *ring, *buffers, std::move(near), std::move(far));
  if (lesson.kernel_chooses() && lesson.run_dry() && lesson.recover() &&
      lesson.replenish_in_batches()) {
    lesson.end_of_stream();
  }
  return out.status();
}

}  // namespace m1
