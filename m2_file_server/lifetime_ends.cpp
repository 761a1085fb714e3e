// What looks like the end of a request and is not: the answer to a cancel, and close(2).

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "common/base/errno.hpp"
#include "common/support/cpu_clock.hpp"
#include "common/uring/mapped_region.hpp"
#include "common/uring/prep.hpp"
#include "m2_file_server/lifetime_steps.hpp"

namespace file_server {

namespace {

constexpr std::uint64_t kTarget = 1;
constexpr std::uint64_t kCancel = 2;

constexpr std::size_t kLongReadBytes = 64 * 1024 * 1024;
constexpr std::string_view kEndOfFile = "The end of the file.";
constexpr std::string_view kSecondOwner = "The second owner's!!";
static_assert(kEndOfFile.size() == kSecondOwner.size());

const char* name_of(std::int32_t res) {
  return res < 0 ? base::Errno{-res}.name() : "no error";
}

// A pending RECV is cancelled: there are two completions.
bool cancel_a_pending_recv(Stage& stage) {
  Story& story = stage.story();
  const auto a = connect_pair(story);
  if (!a) {
    return false;
  }
  story.say("A RECV is pending, and is cancelled by its user_data.");
  if (!stage.start(kTarget,
                   [&](auto& sqe) { uring::prep_recv(sqe, a->server.get(), stage.slot(0), 0); })) {
    return false;
  }
  const auto first = stage.run(kCancel, [](auto& sqe) { uring::prep_cancel(sqe, kTarget, 0); });
  const auto second = first ? stage.next_completion() : std::nullopt;
  if (!second) {
    return false;
  }
  story.claim(first->user_data == kCancel && first->res == 0,
              "first comes the completion of the cancel, res is %d: it found the request",
              first->res);
  story.claim(second->user_data == kTarget && second->res == -ECANCELED,
              "then that of the RECV, res is %d (%s): only this one ends the loan of the buffer",
              second->res, name_of(second->res));
  return true;
}

// A file of holes with a text at its end.
std::optional<base::UniqueFd> make_long_file(Story& story) {
  auto file = make_file(story, "");
  if (!file) {
    return std::nullopt;
  }
  const ssize_t written = ::pwrite(file->get(), kEndOfFile.data(), kEndOfFile.size(),
                                   static_cast<off_t>(kLongReadBytes - kEndOfFile.size()));
  if (written != static_cast<ssize_t>(kEndOfFile.size())) {
    story.cannot("write a file in memory", base::last_error());
    return std::nullopt;
  }
  return file;
}

// Until the kernel has written to `byte`, which was not 0, or some seconds have passed.
void wait_until_written(std::byte& byte) {
  constexpr std::uint64_t kPatienceNs = 2'000'000'000;
  const std::atomic_ref watched(byte);
  const std::uint64_t deadline_ns = support::now_ns() + kPatienceNs;
  while (watched.load(std::memory_order_acquire) != std::byte{0} &&
         support::now_ns() < deadline_ns) {
  }
}

struct CancelOfARunningRead {
  std::int32_t cancel_res;
  std::int32_t read_res;
  bool cancel_first;
  std::string at_the_end;  // what the end of the buffer holds at last
};

// Cancels the read when its first bytes have come, and gives the buffer away at the cancel's answer.
std::optional<CancelOfARunningRead> cancel_a_running_read(Stage& stage, int file,
                                                          std::span<std::byte> buffer) {
  buffer.front() = std::byte{0xff};
  if (!stage.start(kTarget, [&](auto& sqe) {
        uring::prep_read(sqe, file, buffer, 0);
        sqe.flags |= uring::IOSQE_ASYNC;
      })) {
    return std::nullopt;
  }
  wait_until_written(buffer.front());
  const auto first = stage.run(kCancel, [](auto& sqe) { uring::prep_cancel(sqe, kTarget, 0); });
  const auto end = buffer.last(kSecondOwner.size());
  std::ranges::copy(as_bytes(kSecondOwner), end.begin());
  const auto second = first ? stage.next_completion() : std::nullopt;
  if (!second) {
    return std::nullopt;
  }
  const bool cancel_first = first->user_data == kCancel;
  return CancelOfARunningRead{.cancel_res = cancel_first ? first->res : second->res,
                              .read_res = cancel_first ? second->res : first->res,
                              .cancel_first = cancel_first,
                              .at_the_end = text_in(end)};
}

bool cancel_a_read_that_runs(Stage& stage) {
  constexpr int kTries = 20;  // the read can be over before we come, on a busy machine
  Story& story = stage.story();
  const auto file = make_long_file(story);
  const auto memory = uring::MappedRegion::anonymous(kLongReadBytes);
  if (!file) {
    return false;
  }
  if (!memory) {
    return story.cannot("map a buffer", memory.error());
  }
  story.say(
      "A READ of %zu MiB runs in a thread of the kernel, and is cancelled when its first bytes "
      "have "
      "come. At the answer of the cancel the program gives the buffer to a second owner, who "
      "writes "
      "\"%s\" at its end.",
      kLongReadBytes >> 20, std::string(kSecondOwner).c_str());
  for (int i = 0; i < kTries; ++i) {
    const auto seen = cancel_a_running_read(stage, file->get(), memory->bytes());
    if (!seen) {
      return false;
    }
    if (!seen->cancel_first) {
      continue;
    }
    story.claim(seen->cancel_res == -EALREADY, "the cancel's res is %d (%s): it runs",
                seen->cancel_res, name_of(seen->cancel_res));
    story.claim(seen->read_res == static_cast<std::int32_t>(kLongReadBytes) &&
                    seen->at_the_end == kEndOfFile,
                "the READ's completion came later, res is %d; the buffer ends with: \"%s\"",
                seen->read_res, seen->at_the_end.c_str());
    return true;
  }
  story.claim(false, "in %d tries, the cancel's completion came once before the READ's", kTries);
  return true;
}

// Whether the peer of a connection would see the end of it.
bool hung_up(int fd) {
  pollfd peer{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&peer, 1, 0) != 0;
}

}  // namespace

bool cancel_answered_is_not_the_end(Stage& stage) {
  stage.story().section("The answer to a cancel is not the end");
  return cancel_a_pending_recv(stage) && cancel_a_read_that_runs(stage);
}

bool close_is_not_the_end(Stage& stage) {
  constexpr std::string_view kLate = "are you still there?";
  Story& story = stage.story();
  story.section("Closing the descriptor is not the end");
  auto a = connect_pair(story);
  if (!a) {
    return false;
  }
  const std::span<std::byte> buffer = stage.slot(0);
  put_text(buffer, "The second owner's.");
  const int closed = a->server.get();
  story.say("A RECV is pending on descriptor %d. The program closes it, and gives the buffer away.",
            closed);
  if (!stage.start(kTarget, [&](auto& sqe) { uring::prep_recv(sqe, closed, buffer, 0); })) {
    return false;
  }
  a->server.reset();
  story.claim(::fcntl(closed, F_GETFD) == -1 && stage.is_quiet() && !hung_up(a->client.get()),
              "descriptor %d is closed, the RECV has no completion, and the client sees no end",
              closed);
  if (!send_text(story, a->client.get(), kLate)) {
    return false;
  }
  const auto late = stage.next_completion();
  if (!late) {
    return false;
  }
  story.claim(late->res == static_cast<std::int32_t>(kLate.size()) && text_in(buffer) == kLate,
              "the client sends, and the RECV receives, res is %d; the buffer holds: \"%s\"",
              late->res, text_in(buffer).c_str());

  auto b = connect_pair(story);
  if (!b || !stage.start(kTarget,
                         [&](auto& sqe) { uring::prep_recv(sqe, b->server.get(), buffer, 0); })) {
    return false;
  }
  ::shutdown(b->server.get(), SHUT_RDWR);
  const auto ended = stage.next_completion();
  if (!ended) {
    return false;
  }
  story.claim(
      ended->res == 0 && hung_up(b->client.get()),
      "with shutdown(2) instead, the RECV completes, res is %d, and the client sees the end",
      ended->res);
  story.say(
      "So: shut down (or cancel), reap the completions, then close, then give the buffer away.");
  return true;
}

}  // namespace file_server
