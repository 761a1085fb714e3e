// What a ring holds, and how all of it goes away.
//
// What must hold:
//  - The order is: end what is in flight, unregister, unmap, close. Each guard does its own part
//    (RegisteredFiles, RegisteredBuffers, ProvidedBuffers, Ring), and C++ runs them in the reverse
//    order of their making.
//  - Closing a ring with requests in flight cancels them, but not at once: the kernel does it behind
//    our back, and until then it may write into their buffers. So such memory outlives the ring.
//
// The counting is done from outside: /proc/self/fd, /proc/self/maps, /proc/self/fdinfo.

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cinttypes>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "common/base/unique_fd.hpp"
#include "common/support/cpu_clock.hpp"
#include "common/uring/prep.hpp"
#include "common/uring/provided_buffers.hpp"
#include "common/uring/registered_buffers.hpp"
#include "common/uring/registered_files.hpp"
#include "common/uring/ring.hpp"
#include "m1_sq_cq/narrator.hpp"
#include "m1_sq_cq/process_view.hpp"
#include "m1_sq_cq/table.hpp"

namespace m1 {

namespace {

// What this process holds, seen from outside.
struct Holdings {
  std::size_t fds = 0;
  std::size_t maps = 0;
  std::optional<std::uint64_t> user_files;  // of the ring, while there is one
  std::optional<std::uint64_t> user_buffers;
  std::optional<std::uint64_t> pinned_kib;
};

Holdings look(const uring::Ring* ring) {
  Holdings now{.fds = count_open_fds(),
               .maps = ring_maps().size(),
               .user_files = {},
               .user_buffers = {},
               .pinned_kib = pinned_kib()};
  if (ring != nullptr) {
    const std::string info = fdinfo(ring->fd());
    now.user_files = number_after(info, "UserFiles");
    now.user_buffers = number_after(info, "UserBufs");
  }
  return now;
}

std::string or_dash(const std::optional<std::uint64_t>& number) {
  return number ? std::to_string(*number) : "-";
}

class Ledger {
 public:
  Holdings add(const char* step, const uring::Ring* ring) {
    const Holdings now = look(ring);
    table_.row({step, std::to_string(now.fds), std::to_string(now.maps), or_dash(now.user_files),
                or_dash(now.user_buffers), or_dash(now.pinned_kib)});
    return now;
  }
  void print() const { table_.print(); }

 private:
  Table table_{{"after"},
               {"open fds", Table::Align::Right},
               {"ring maps", Table::Align::Right},
               {"UserFiles", Table::Align::Right},
               {"UserBufs", Table::Align::Right},
               {"VmPin KiB", Table::Align::Right}};
};

Status hold_and_let_go(Narrator& out, const LessonContext& context) {
  constexpr std::size_t kBufferSize = 64 * 1024;
  constexpr std::uint32_t kFileSlots = 4;
  out.section("A ring with everything registered, and let go in reverse order");
  Ledger ledger;
  const Holdings before = ledger.add("the start", nullptr);

  std::vector<std::byte> memory(kBufferSize);  // outlives the registration, and the ring
  auto ring = uring::Ring::create({.sq_entries = 8, .trace = context.trace}, context.features);
  if (!ring) {
    return out.cannot("set up a ring", ring.error());
  }
  std::optional<uring::Ring> owner(std::move(*ring));
  const Holdings with_ring = ledger.add("io_uring_setup and mmap", &*owner);

  if (const auto registered = owner->register_ring_fd(); !registered) {
    return out.cannot("register the ring's descriptor", registered.error());
  }
  ledger.add(owner->uses_registered_fd() ? "REGISTER_RING_FDS" : "(no registered ring here)",
             &*owner);

  const base::UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null.valid()) {
    return out.cannot("open /dev/null", base::last_error());
  }
  auto files = uring::RegisteredFiles::create_sparse(*owner, kFileSlots);
  if (!files) {
    return out.cannot("register a table of files", files.error());
  }
  if (const auto set = files->set(0, null.get()); !set) {
    return out.cannot("put a file into the table", set.error());
  }
  const Holdings with_files = ledger.add("REGISTER_FILES", &*owner);

  const iovec buffer{.iov_base = memory.data(), .iov_len = memory.size()};
  auto buffers = uring::RegisteredBuffers::create(*owner, std::span(&buffer, 1));
  if (!buffers) {
    return out.cannot("register a buffer", buffers.error());
  }
  const Holdings with_buffers = ledger.add("REGISTER_BUFFERS", &*owner);

  auto provided = uring::ProvidedBuffers::create(*owner, context.features,
                                                 {.group = 1, .count = 8, .buffer_size = 4096});
  if (!provided) {
    return out.cannot("provide buffers", provided.error());
  }
  if (const auto submitted = owner->submit(); !submitted) {
    return out.cannot("provide buffers", submitted.error());
  }
  ledger.add(provided->uses_buffer_ring() ? "REGISTER_PBUF_RING" : "PROVIDE_BUFFERS", &*owner);

  // [snippet: cleanup_order]
  // The guards in reverse order. Leaving the scope would do the same; here one can watch.
  const bool had_buffer_ring = provided->uses_buffer_ring();
  { const uring::ProvidedBuffers gone(std::move(*provided)); }
  ledger.add(had_buffer_ring ? "UNREGISTER_PBUF_RING" : "REMOVE_BUFFERS", &*owner);
  { const uring::RegisteredBuffers gone(std::move(*buffers)); }
  const Holdings without_buffers = ledger.add("UNREGISTER_BUFFERS", &*owner);
  { const uring::RegisteredFiles gone(std::move(*files)); }
  const Holdings without_files = ledger.add("UNREGISTER_FILES", &*owner);
  owner.reset();
  const Holdings after = ledger.add("munmap and close", nullptr);
  ledger.print();
  // [/snippet]

  out.claim(with_ring.fds == before.fds + 1 && with_ring.maps > before.maps,
            "the ring was %zu descriptor and %zu maps", with_ring.fds - before.fds,
            with_ring.maps - before.maps);
  if (with_files.user_files && with_buffers.user_buffers) {
    out.claim(*with_files.user_files == kFileSlots && *with_buffers.user_buffers == 1,
              "it held a table of %" PRIu64 " files and %" PRIu64 " buffer", *with_files.user_files,
              *with_buffers.user_buffers);
    out.claim(
        without_files.user_files.value_or(0) == 0 && without_buffers.user_buffers.value_or(0) == 0,
        "unregistered: %" PRIu64 " files, %" PRIu64 " buffers",
        without_files.user_files.value_or(0), without_buffers.user_buffers.value_or(0));
  }
  // /dev/null is still open, by its own guard.
  out.claim(after.fds == before.fds + 1 && after.maps == before.maps,
            "in the end %zu ring maps and %zu descriptors are left over from it",
            after.maps - before.maps, after.fds - before.fds - 1);
  return out.status();
}

// Waits until the other end of `socket` is closed by everybody who held it. Returns whether it was,
// within `limit_ms`.
bool wait_for_hangup(int socket, int limit_ms) {
  pollfd wanted{.fd = socket, .events = POLLIN, .revents = 0};
  const std::uint64_t end_ns =
      support::now_ns() + std::uint64_t{1'000'000} * static_cast<unsigned>(limit_ms);
  do {
    if (::poll(&wanted, 1, limit_ms) > 0) {
      return (wanted.revents & POLLHUP) != 0;
    }
  } while (support::now_ns() < end_ns);
  return false;
}

Status close_with_a_read_in_flight(Narrator& out, const LessonContext& context) {
  out.section("Closing a ring with a read in flight");
  constexpr int kAtOnceMs = 0;
  constexpr int kLimitMs = 10'000;
  std::array<std::byte, 64> buffer{};  // before the ring: the kernel may write here after its end
  std::array<int, 2> fds{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) != 0) {
    return out.cannot("make a socket pair", base::last_error());
  }
  base::UniqueFd near_end(fds[0]);
  const base::UniqueFd far_end(fds[1]);
  auto created = uring::Ring::create({.sq_entries = 8, .trace = context.trace}, context.features);
  if (!created) {
    return out.cannot("set up a ring", created.error());
  }
  std::optional<uring::Ring> ring(std::move(*created));
  uring::prep_read(*ring->next_sqe(), near_end.get(), buffer, 0);
  if (const auto submitted = ring->submit(); !submitted) {
    return out.cannot("submit a read", submitted.error());
  }
  near_end.reset();
  out.say("A read waits on one end of a socket pair, and we close our descriptor of that end.");
  out.claim(!wait_for_hangup(far_end.get(), kAtOnceMs),
            "the other end sees no hang-up: the request in flight holds the file by itself");

  const std::uint64_t start_ns = support::now_ns();
  ring.reset();
  const bool gone_at_once = wait_for_hangup(far_end.get(), kAtOnceMs);
  const bool gone = gone_at_once || wait_for_hangup(far_end.get(), kLimitMs);
  const std::uint64_t took_us = (support::now_ns() - start_ns) / 1000;
  out.say("Then we close the ring. When close(2) had returned, the request was %s.",
          gone_at_once ? "gone already, this time" : "still there");
  out.claim(gone,
            "the other end saw the hang-up %" PRIu64
            " us after the close began: the kernel cancelled the read and let go of the file",
            took_us);
  out.say(
      "Only then was its buffer ours again. A program that wants to know cancels first, and reaps "
      "the completions: a closed ring tells nothing.");
  return out.status();
}

}  // namespace

Status lesson_cleanup(const LessonContext& context) {
  Narrator out("cleanup");
  const Holdings before = look(nullptr);
  if (const Status status = hold_and_let_go(out, context); status != Status::Ok) {
    return status;
  }
  if (const Status status = close_with_a_read_in_flight(out, context); status != Status::Ok) {
    return status;
  }
  out.section("The balance");
  const Holdings after = look(nullptr);
  out.claim(after.fds == before.fds && after.maps == before.maps,
            "%zu descriptors and %zu ring maps before this lesson, %zu and %zu after it",
            before.fds, before.maps, after.fds, after.maps);
  return out.status();
}

}  // namespace m1
