// A buffer that is changed while the kernel still has a request to read from it.

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "common/base/errno.hpp"
#include "common/support/cpu_clock.hpp"
#include "common/uring/prep.hpp"
#include "m2_file_server/lifetime_steps.hpp"

namespace file_server {

namespace {

constexpr std::uint64_t kPatienceNs = 5'000'000'000;

// What the client gets of each kind of byte.
struct Received {
  std::size_t filler = 0;
  std::size_t ours = 0;
  std::size_t others = 0;

  [[nodiscard]] std::size_t total() const { return filler + ours + others; }
  void count(std::span<const char> bytes) {
    filler += static_cast<std::size_t>(std::ranges::count(bytes, '.'));
    ours += static_cast<std::size_t>(std::ranges::count(bytes, 'b'));
    others += static_cast<std::size_t>(std::ranges::count(bytes, 'X'));
  }
};

// Sends dots until the connection takes no more. Returns how many it took.
std::optional<std::size_t> fill_up(Stage& stage, int socket) {
  std::ranges::fill(stage.slot(1), std::byte{'.'});
  std::size_t filler = 0;
  while (true) {
    const auto cqe = stage.run(
        1, [&](auto& sqe) { uring::prep_send(sqe, socket, stage.slot(1), MSG_DONTWAIT); });
    if (!cqe) {
      return std::nullopt;
    }
    if (cqe->res == -EAGAIN) {
      return filler;
    }
    if (cqe->res < 0) {
      stage.story().cannot("send", base::Errno{-cqe->res});
      return std::nullopt;
    }
    filler += static_cast<std::size_t>(cqe->res);
  }
}

// Reads `size` bytes as the client, and lets the kernel go on with what waits for room meanwhile.
bool drain(Stage& stage, int socket, std::size_t size, Received& received) {
  const std::uint64_t deadline_ns = support::now_ns() + kPatienceNs;
  while (received.total() < size) {
    std::array<char, Stage::kSlotBytes> bytes;
    const ssize_t count = ::recv(socket, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count > 0) {
      received.count(std::span(bytes).first(static_cast<std::size_t>(count)));
    } else if (count == 0 || base::last_error().value != EAGAIN) {
      return stage.story().cannot("receive as the client", base::last_error());
    }
    if (const auto flushed = stage.ring().get_events(); !flushed) {
      return stage.story().cannot("enter the ring", flushed.error());
    }
    if (support::now_ns() >= deadline_ns) {
      return stage.story().cannot("receive all that was sent", base::Errno{ETIME});
    }
  }
  return true;
}

}  // namespace

bool buffer_changed_under_a_send(Stage& stage) {
  Story& story = stage.story();
  story.section("A buffer changed under a SEND");
  const auto b = connect_pair(story);
  if (!b) {
    return false;
  }
  const auto filler = fill_up(stage, b->server.get());
  if (!filler) {
    return false;
  }
  story.say(
      "Client B does not read: after %zu bytes of an answer the connection is full. The next part, "
      "%zu times 'b' in buffer 0, has to wait; the call that submitted it returned at once.",
      *filler, Stage::kSlotBytes);
  std::ranges::fill(stage.slot(0), std::byte{'b'});
  if (!stage.start(2, [&](auto& sqe) {
        uring::prep_send(sqe, b->server.get(), stage.slot(0), MSG_WAITALL);
      })) {
    return false;
  }
  story.claim(stage.is_quiet(), "the SEND is submitted, and has no completion");
  story.say(
      "\"Sent\", thinks the program, and reads another client's file into buffer 0: %zu times 'X'. "
      "Then B begins to read.",
      Stage::kSlotBytes);
  std::ranges::fill(stage.slot(0), std::byte{'X'});

  Received received;
  if (!drain(stage, b->client.get(), *filler + Stage::kSlotBytes, received)) {
    return false;
  }
  const auto cqe = stage.next_completion();
  if (!cqe) {
    return false;
  }
  story.claim(cqe->res == static_cast<std::int32_t>(Stage::kSlotBytes),
              "the SEND succeeded, res is %d", cqe->res);
  story.claim(received.ours == 0 && received.others == Stage::kSlotBytes,
              "behind the first %zu bytes B got %zu times 'b' and %zu times 'X'", received.filler,
              received.ours, received.others);
  story.say(
      "The kernel copies the bytes when the socket has room for them, not when the SEND is "
      "submitted. "
      "On a connection with room the same program is right, by luck: in each test, but not under "
      "load.");
  return true;
}

}  // namespace file_server
