#include "tests/m2/forged_server.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <utility>

#include <gtest/gtest.h>

#include "common/base/check.hpp"
#include "common/server/server.hpp"
#include "common/server/start.hpp"
#include "common/uring/opcode_name.hpp"
#include "common/uring/registered_files.hpp"
#include "m2_file_server/file_server.hpp"
#include "tests/kernel/enter_faults.hpp"

namespace m2_test {
namespace {

constexpr std::chrono::seconds kPatience(30);

}  // namespace

file_server::ServeOptions forged_options() {
  file_server::ServeOptions options;
  options.server.max_connections = 16;
  options.server.idle_timeout = {};
  options.server.drain_timeout = std::chrono::hours(1);
  options.header_timeout = {};
  options.file_cache = 8;
  options.buffers = 8;
  options.fixed_buffers = false;
  options.buffer_size = 4096;
  return options;
}

ForgedServer::ForgedServer(const std::string& root, const file_server::ServeOptions& options,
                           std::uint32_t places)
    : root_(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
  const auto features = uring::Features::detect();
  CHECK(root_.valid() && features.has_value());
  supervisor_ = std::thread([this, options, places, features = *features] {
    // Whatever the call is for: the test has done it, or will. EINTR makes the loop go on.
    const auto answer = [this](const kernel_test::EnterCall&) {
      entered_.release();
      resumed_.acquire();
      return EINTR;
    };
    (void)kernel_test::with_enter_faults(answer, [&] { run_server(options, features, places); });
    over_ = true;
    entered_.release();
  });
  wait_for_enter();
}

void ForgedServer::run_server(const file_server::ServeOptions& options,
                              const uring::Features& features, std::uint32_t places) {
  auto ring = server::create_ring(features);
  auto buffers = file_server::BufferPool::create(options.buffers, options.buffer_size);
  CHECK(ring.has_value() && buffers.has_value());
  if (options.fixed_buffers) {
    CHECK(buffers->register_with(*ring).has_value());
  }
  std::optional<uring::RegisteredFiles> table;
  if (places > 0) {
    auto made = uring::RegisteredFiles::create_sparse(*ring, places);
    CHECK(made.has_value());
    table.emplace(std::move(*made));
  }
  file_server::FileTable files(
      table ? &*table : nullptr,
      {.capacity = options.file_cache, .recheck_ns = ~0ULL, .direct = options.direct});
  file_server::FileServer protocol(root_.get(), *buffers, files, options);
  server::Server<file_server::FileServer> server(*ring, protocol, options.server);
  ring_ = &*ring;
  buffers_ = &*buffers;
  files_ = &files;
  thread_ = ::pthread_self();
  exit_status_ = server.run("forged_server");
  buffers_left_ =
      static_cast<std::uint16_t>(buffers->size() - buffers->count(file_server::BufferState::Free));
}

ForgedServer::~ForgedServer() {
  if (runs()) {
    signal(SIGTERM);
    for (int turns = 0; runs() && turns < 1000; ++turns) {
      end_all();
      turn();
    }
    CHECK(!runs(), "the server has not drained");
    EXPECT_EQ(exit_status_, 0);
    EXPECT_EQ(buffers_left_, 0);
  }
  supervisor_.join();
}

// --- operations --------------------------------------------------------------------------------------

void ForgedServer::wait_for_enter() {
  CHECK(entered_.try_acquire_for(kPatience), "the server does not come back to its ring");
  if (runs()) {
    take_sqes();
  }
}

void ForgedServer::turn() {
  if (runs()) {
    resumed_.release();
    wait_for_enter();
  }
}

// The kernel's side of the SQ.
void ForgedServer::take_sqes() {
  const uring::SqPointers sq = ring_->mapping().sq_pointers();
  const std::uint32_t tail = std::atomic_ref(*sq.tail).load(std::memory_order_acquire);
  std::uint32_t head = *sq.head;
  for (; head != tail; ++head) {
    const std::uint32_t slot = head & (sq.entries - 1);
    take(sq.sqes[sq.array == nullptr ? slot : sq.array[slot]]);
  }
  std::atomic_ref(*sq.head).store(head, std::memory_order_release);
}

// What no test wants to decide ends at once.
void ForgedServer::take(const uring::io_uring_sqe& sqe) {
  switch (sqe.opcode) {
    case uring::IORING_OP_ASYNC_CANCEL:
      cancel(sqe);
      break;
    case uring::IORING_OP_CLOSE:
      CHECK(::close(sqe.fd) == 0);
      closed_.push_back(sqe.fd);
      break;
    case uring::IORING_OP_SHUTDOWN:
      break;
    default:
      in_flight_.push_back({.sqe = sqe});
      return;
  }
  end({.sqe = sqe}, 0);
}

// All on a socket, or one by its user_data.
void ForgedServer::cancel(const uring::io_uring_sqe& sqe) {
  const bool by_fd = (sqe.cancel_flags & uring::IORING_ASYNC_CANCEL_FD) != 0;
  for (const Operation& other : std::exchange(in_flight_, {})) {
    if (by_fd ? other.sqe.fd == sqe.fd : other.sqe.user_data == sqe.addr) {
      end(other, -ECANCELED);
    } else {
      in_flight_.push_back(other);
    }
  }
}

// The kernel's side of the CQ.
void ForgedServer::end(const Operation& operation, std::int32_t res) {
  const uring::CqPointers cq = ring_->mapping().cq_pointers();
  const std::uint32_t tail = *cq.tail;
  CHECK(tail - *cq.head < cq.entries);
  cq.cqes[tail & (cq.entries - 1)] = {.user_data = operation.sqe.user_data, .res = res, .flags = 0};
  std::atomic_ref(*cq.tail).store(tail + 1, std::memory_order_release);
}

std::size_t ForgedServer::count(const Client& client, std::uint8_t opcode) const {
  return static_cast<std::size_t>(std::ranges::count_if(in_flight_, [&](const Operation& other) {
    return other.sqe.opcode == opcode && other.id().slot == client.slot;
  }));
}

Operation ForgedServer::take(const Client& client, std::uint8_t opcode) {
  const auto found = std::ranges::find_if(in_flight_, [&](const Operation& other) {
    return other.sqe.opcode == opcode && other.id().slot == client.slot;
  });
  if (found == in_flight_.end()) {
    for (const Operation& other : in_flight_) {
      std::fprintf(stderr, "in flight: %s of slot %u\n", uring::opcode_name(other.sqe.opcode),
                   other.id().slot);
    }
    CHECK(false, "the server has not asked for that");
  }
  const Operation operation = *found;
  in_flight_.erase(found);
  return operation;
}

// For the end: each operation ends in the way that leads to no other.
void ForgedServer::end_all() {
  for (const Operation& operation : std::exchange(in_flight_, {})) {
    switch (operation.sqe.opcode) {
      case uring::IORING_OP_RECV:
        end(operation, 0);
        break;
      case uring::IORING_OP_SEND:
        end(operation, -EPIPE);
        break;
      case uring::IORING_OP_READ:
      case uring::IORING_OP_READ_FIXED:
      case uring::IORING_OP_OPENAT2:
        end(operation, -EIO);
        break;
      case uring::IORING_OP_POLL_ADD:
        end(operation, POLLHUP);
        break;
      default:
        in_flight_.push_back(operation);
    }
  }
}

// --- what a kernel would do --------------------------------------------------------------------------

Client ForgedServer::connect() {
  std::array<int, 2> ends{};
  CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  peers_.emplace_back(ends[0]);
  std::erase(closed_, ends[1]);
  const auto accept = std::ranges::find_if(in_flight_, [](const Operation& other) {
    return other.sqe.opcode == uring::IORING_OP_ACCEPT;
  });
  CHECK(accept != in_flight_.end());
  end(*accept, ends[1]);
  in_flight_.erase(accept);
  turn();
  const auto receive = std::ranges::find_if(in_flight_, [&](const Operation& other) {
    return other.sqe.opcode == uring::IORING_OP_RECV && other.sqe.fd == ends[1];
  });
  CHECK(receive != in_flight_.end());
  return {.slot = receive->id().slot, .fd = ends[1], .received = {}};
}

void ForgedServer::receive(const Client& client, std::string_view text) {
  const Operation operation = take(client, uring::IORING_OP_RECV);
  CHECK(text.size() <= operation.sqe.len);
  std::ranges::copy(std::as_bytes(std::span(text)), operation.memory().begin());
  end(operation, static_cast<std::int32_t>(text.size()));
  turn();
}

void ForgedServer::get(const Client& client, std::string_view path) {
  receive(client, "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n");
}

void ForgedServer::open(const Client& client) {
  const Operation operation = take(client, uring::IORING_OP_OPENAT2);
  const long fd = ::syscall(SYS_openat2, operation.sqe.fd, operation.sqe.addr, operation.sqe.off,
                            operation.sqe.len);
  end(operation, static_cast<std::int32_t>(fd == -1 ? -errno : fd));
  turn();
}

void ForgedServer::read(const Operation& operation, std::size_t most) {
  CHECK((operation.sqe.flags & uring::IOSQE_FIXED_FILE) == 0, "this kernel has no table of files");
  const std::span<std::byte> into = operation.memory();
  const ssize_t got = ::pread(operation.sqe.fd, into.data(), std::min(into.size(), most),
                              static_cast<off_t>(operation.sqe.off));
  end(operation, static_cast<std::int32_t>(got == -1 ? -errno : got));
}

void ForgedServer::send(Client& client, std::size_t most) {
  const Operation operation = take(client, uring::IORING_OP_SEND);
  const std::span<std::byte> bytes = operation.memory();
  const std::size_t taken = std::min(most, bytes.size());
  client.received.append(reinterpret_cast<const char*>(bytes.data()), taken);
  end(operation, static_cast<std::int32_t>(taken));
  turn();
}

void ForgedServer::serve(Client& client, std::size_t bytes) {
  while (client.received.size() < bytes) {
    const std::size_t before = client.received.size();
    if (count(client, uring::IORING_OP_SEND) > 0) {
      send(client);
    } else if (count(client, uring::IORING_OP_POLL_ADD) > 0) {
      end(take(client, uring::IORING_OP_POLL_ADD), POLLOUT);
      turn();
      continue;
    } else {
      read(take(client, uring::IORING_OP_READ));
      turn();
      continue;
    }
    CHECK(client.received.size() > before);
  }
}

void ForgedServer::signal(int number) {
  CHECK(::pthread_kill(thread_, number) == 0);
  const auto poll = std::ranges::find_if(
      in_flight_, [](const Operation& other) { return other.id().kind >= loop::kFirstLoopKind; });
  CHECK(poll != in_flight_.end());
  end(*poll, POLLIN);
  in_flight_.erase(poll);
  turn();
}

bool ForgedServer::has_closed(const Client& client) const {
  return std::ranges::find(closed_, client.fd) != closed_.end();
}

}  // namespace m2_test
