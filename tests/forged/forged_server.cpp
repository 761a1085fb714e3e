#include "tests/forged/forged_server.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <utility>

#include <gtest/gtest.h>

#include "common/base/check.hpp"
#include "common/uring/opcode_name.hpp"

namespace forged {
namespace {

constexpr std::chrono::seconds kPatience(30);

// KERNEL: `sqe.file_index` is a place in the ring's table, counted from 1; 0 is none.
[[nodiscard]] bool is_direct(const uring::io_uring_sqe& sqe) {
  return sqe.file_index != 0;
}

[[nodiscard]] Wait wait_of(const seccomp_data& enter) {
  Wait wait{.completions = static_cast<std::uint32_t>(enter.args[2])};
  if ((enter.args[3] & uring::IORING_ENTER_EXT_ARG) != 0) {
    const auto* argument = reinterpret_cast<const uring::io_uring_getevents_arg*>(
        static_cast<std::uintptr_t>(enter.args[4]));
    wait.min_wait_us = argument->min_wait_usec;
  }
  return wait;
}

[[nodiscard]] std::vector<std::span<std::byte>> pieces_of(const uring::io_uring_sqe& sqe) {
  std::vector<std::span<std::byte>> pieces;
  if (sqe.opcode == uring::IORING_OP_SENDMSG) {
    const auto* message = reinterpret_cast<const msghdr*>(static_cast<std::uintptr_t>(sqe.addr));
    for (const iovec& piece : std::span(message->msg_iov, message->msg_iovlen)) {
      pieces.emplace_back(static_cast<std::byte*>(piece.iov_base), piece.iov_len);
    }
  }
  return pieces;
}

}  // namespace

const uring::Features& kernel_features() {
  static const uring::Features features = [] {
    const auto detected = uring::Features::detect();
    CHECK(detected.has_value());
    return *detected;
  }();
  return features;
}

bool Operation::is_multishot() const {
  return (sqe.opcode == uring::IORING_OP_RECV &&
          (sqe.ioprio & uring::IORING_RECV_MULTISHOT) != 0) ||
         (sqe.opcode == uring::IORING_OP_ACCEPT &&
          (sqe.ioprio & uring::IORING_ACCEPT_MULTISHOT) != 0);
}

std::string Operation::text() const {
  std::string text;
  const auto append = [&](std::span<const std::byte> piece) {
    text.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  };
  if (sqe.opcode == uring::IORING_OP_SENDMSG) {
    std::ranges::for_each(pieces, append);
  } else {
    append(memory());
  }
  return text;
}

// --- the server's thread -----------------------------------------------------------------------------

ForgedServer::~ForgedServer() {
  CHECK(!runs() || !supervisor_.joinable(), "who has started it drains it");
  if (supervisor_.joinable()) {
    supervisor_.join();
  }
}

void ForgedServer::start(std::function<int()> serve) {
  supervisor_ = std::thread([this, serve = std::move(serve)] {
    (void)kernel_test::with_supervised_calls(
        {SYS_io_uring_enter, SYS_io_uring_register},
        [this](const seccomp_data& call) { return answer(call); }, [&] { exit_status_ = serve(); });
    over_ = true;
    entered_.release();
  });
  wait_for_enter();
}

void ForgedServer::watch(uring::Ring& ring) {
  ring_ = &ring;
  thread_ = ::pthread_self();
}

kernel_test::CallAnswer ForgedServer::answer(const seccomp_data& call) {
  if (call.nr == SYS_io_uring_register) {
    // KERNEL: with IORING_REGISTER_USE_REGISTERED_RING in it the descriptor is an index.
    const auto opcode =
        static_cast<std::uint32_t>(call.args[1]) & ~uring::IORING_REGISTER_USE_REGISTERED_RING;
    const auto* request =
        reinterpret_cast<const uring::io_uring_buf_reg*>(static_cast<std::uintptr_t>(call.args[2]));
    if (opcode == uring::IORING_REGISTER_PBUF_RING) {
      provided_.register_ring(*request);
    } else if (opcode == uring::IORING_UNREGISTER_PBUF_RING) {
      provided_.unregister_ring(*request);
    }
    return {.let_through = true};
  }
  wait_ = wait_of(call);
  entered_.release();
  resumed_.acquire();
  // KERNEL: the number of SQEs that it took; an error only where that is none.
  const std::uint64_t submitted = call.args[1];
  if (submitted == 0) {
    return {.error = EINTR};
  }
  return {.value = static_cast<std::int64_t>(submitted)};
}

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

bool ForgedServer::turn_until(const std::function<bool()>& is_so) {
  const auto begin = std::chrono::steady_clock::now();
  while (!is_so()) {
    if (std::chrono::steady_clock::now() - begin > kPatience) {
      return false;
    }
    ::usleep(500);
    turn();
  }
  return true;
}

// Each operation ends in the way that leads to no other.
void ForgedServer::drain() {
  if (!runs()) {
    return;
  }
  for (const std::uint8_t opcode : std::exchange(held_, {})) {
    while (count(opcode) > 0) {
      perform(take(opcode));
    }
  }
  signal(SIGTERM);
  for (int turns = 0; runs() && turns < 1000; ++turns) {
    end_all();
    turn();
  }
  CHECK(!runs(), "the server has not drained");
  supervisor_.join();
  EXPECT_EQ(exit_status_, 0);
}

void ForgedServer::end_all() {
  for (const Operation& operation : std::exchange(in_flight_, {})) {
    if (const auto res = last_result(operation)) {
      end(operation, *res);
    } else {
      in_flight_.push_back(operation);
    }
  }
}

std::optional<std::int32_t> ForgedServer::last_result(const Operation& operation) const {
  switch (operation.sqe.opcode) {
    case uring::IORING_OP_RECV:
      return 0;
    case uring::IORING_OP_SEND:
    case uring::IORING_OP_SENDMSG:
      return -EPIPE;
    case uring::IORING_OP_POLL_ADD:
      // Not the loop's own, for signals.
      return operation.id().kind < loop::kFirstLoopKind ? std::optional(POLLHUP) : std::nullopt;
    default:
      return std::nullopt;
  }
}

// --- operations --------------------------------------------------------------------------------------

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
  const Operation operation{.sqe = sqe, .pieces = pieces_of(sqe)};
  switch (sqe.opcode) {
    case uring::IORING_OP_ASYNC_CANCEL:
    case uring::IORING_OP_CLOSE:
    case uring::IORING_OP_SHUTDOWN:
      if (held_.contains(sqe.opcode)) {
        in_flight_.push_back(operation);
      } else {
        perform(operation);
      }
      break;
    case uring::IORING_OP_NOP:
      end(operation, 0);
      break;
    case uring::IORING_OP_PROVIDE_BUFFERS:
      provided_.provide(sqe);
      end(operation, 0);
      break;
    case uring::IORING_OP_REMOVE_BUFFERS:
      end(operation, provided_.remove(sqe));
      break;
    default:
      in_flight_.push_back(operation);
  }
}

void ForgedServer::perform(const Operation& operation) {
  switch (operation.sqe.opcode) {
    case uring::IORING_OP_ASYNC_CANCEL:
      return cancel(operation.sqe);
    case uring::IORING_OP_CLOSE:
      close(operation.sqe);
      break;
    default:
      CHECK(operation.sqe.opcode == uring::IORING_OP_SHUTDOWN);
  }
  end(operation, 0);
}

// KERNEL: its own completion comes first, as a rule, and then the target's.
void ForgedServer::cancel(const uring::io_uring_sqe& sqe) {
  const auto target =
      index_of([&](const Operation& other) { return other.sqe.user_data == sqe.addr; });
  end({.sqe = sqe}, target ? 0 : -ENOENT);
  if (target) {
    end(take_at(*target), -ECANCELED);
  }
}

void ForgedServer::close(const uring::io_uring_sqe& sqe) {
  const int fd = is_direct(sqe) ? static_cast<int>(sqe.file_index) - 1 : sqe.fd;
  if (!is_direct(sqe)) {
    CHECK(::close(fd) == 0);
  }
  closed_.push_back(fd);
}

// The kernel's side of the CQ.
void ForgedServer::post(const Operation& operation, std::int32_t res, std::uint32_t flags) {
  const uring::CqPointers cq = ring_->mapping().cq_pointers();
  const std::uint32_t tail = *cq.tail;
  CHECK(tail - *cq.head < cq.entries);
  cq.cqes[tail & (cq.entries - 1)] = {
      .user_data = operation.sqe.user_data, .res = res, .flags = flags};
  std::atomic_ref(*cq.tail).store(tail + 1, std::memory_order_release);
}

void ForgedServer::end(const Operation& operation, std::int32_t res, std::uint32_t flags) {
  CHECK((flags & uring::IORING_CQE_F_MORE) == 0);
  post(operation, res, flags);
}

void ForgedServer::go_on(const Operation& operation, std::int32_t res, std::uint32_t flags) {
  CHECK(operation.is_multishot());
  post(operation, res, flags | uring::IORING_CQE_F_MORE);
}

std::optional<std::size_t> ForgedServer::index_of(
    const std::function<bool(const Operation&)>& is_meant) const {
  const auto found = std::ranges::find_if(in_flight_, is_meant);
  if (found == in_flight_.end()) {
    return std::nullopt;
  }
  return static_cast<std::size_t>(found - in_flight_.begin());
}

std::size_t ForgedServer::need(const std::function<bool(const Operation&)>& is_meant) const {
  const auto found = index_of(is_meant);
  if (!found) {
    for (const Operation& other : in_flight_) {
      std::fprintf(stderr, "in flight: %s of slot %u\n", uring::opcode_name(other.sqe.opcode),
                   other.id().slot);
    }
    CHECK(false, "the server has not asked for that");
  }
  return *found;
}

Operation ForgedServer::take_at(std::size_t index) {
  const Operation operation = in_flight_[index];
  in_flight_.erase(in_flight_.begin() + static_cast<std::ptrdiff_t>(index));
  return operation;
}

std::size_t ForgedServer::count(const Client& client, std::uint8_t opcode) const {
  return static_cast<std::size_t>(std::ranges::count_if(in_flight_, [&](const Operation& other) {
    return other.sqe.opcode == opcode && other.id().slot == client.slot;
  }));
}

std::size_t ForgedServer::count(std::uint8_t opcode) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      in_flight_, [&](const Operation& other) { return other.sqe.opcode == opcode; }));
}

Operation ForgedServer::find(const Client& client, std::uint8_t opcode) const {
  return in_flight_[need([&](const Operation& other) {
    return other.sqe.opcode == opcode && other.id().slot == client.slot;
  })];
}

Operation ForgedServer::find(std::uint8_t opcode) const {
  return in_flight_[need([&](const Operation& other) { return other.sqe.opcode == opcode; })];
}

Operation ForgedServer::take(const Client& client, std::uint8_t opcode) {
  return take_at(need([&](const Operation& other) {
    return other.sqe.opcode == opcode && other.id().slot == client.slot;
  }));
}

Operation ForgedServer::take(const Operation& operation) {
  return take_at(need([&](const Operation& other) {
    return other.sqe.opcode == operation.sqe.opcode &&
           other.sqe.user_data == operation.sqe.user_data;
  }));
}

Operation ForgedServer::take(std::uint8_t opcode) {
  return take_at(need([&](const Operation& other) { return other.sqe.opcode == opcode; }));
}

// --- what a kernel would do --------------------------------------------------------------------------

int ForgedServer::new_descriptor(const Operation& accept) {
  if (is_direct(accept.sqe)) {
    return next_place_++;
  }
  std::array<int, 2> ends{};
  CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  peers_.emplace_back(ends[0]);
  std::erase(closed_, ends[1]);
  return ends[1];
}

Client ForgedServer::connect(bool ends) {
  const Operation accept = find(uring::IORING_OP_ACCEPT);
  const int fd = new_descriptor(accept);
  if (accept.is_multishot() && !ends) {
    go_on(accept, fd);
  } else {
    end(take(uring::IORING_OP_ACCEPT), fd);
  }
  turn();
  return {.slot = slot_of(fd), .fd = fd, .received = {}};
}

std::uint32_t ForgedServer::slot_of(int fd) const {
  const std::size_t receive = need([&](const Operation& other) {
    return other.sqe.opcode == uring::IORING_OP_RECV && other.sqe.fd == fd;
  });
  return in_flight_[receive].id().slot;
}

void ForgedServer::receive(const Client& client, std::string_view text) {
  const Operation operation = take(client, uring::IORING_OP_RECV);
  CHECK(text.size() <= operation.sqe.len);
  std::ranges::copy(std::as_bytes(std::span(text)), operation.memory().begin());
  end(operation, static_cast<std::int32_t>(text.size()));
  turn();
}

std::size_t ForgedServer::deliver(const Client& client, std::string_view text, bool ends) {
  const std::size_t index = need([&](const Operation& other) {
    return other.sqe.opcode == uring::IORING_OP_RECV && other.id().slot == client.slot &&
           (other.sqe.flags & uring::IOSQE_BUFFER_SELECT) != 0;
  });
  Operation& receive = in_flight_[index];
  CHECK(!text.empty(), "that would be the end of the stream");
  const auto buffer = provided_.choose(receive.sqe.buf_group);
  if (!buffer) {
    end(take_at(index), -ENOBUFS);
    return 0;
  }
  // KERNEL(6.17): the completion that reaches it is the last one, and not cut.
  const std::size_t limit = receive.is_multishot() && receive.sqe.optlen > 0
                                ? receive.sqe.optlen - receive.delivered
                                : SIZE_MAX;
  const std::size_t taken = std::min(text.size(), std::size_t{buffer->size});
  expect_unused(*buffer);
  std::ranges::fill(std::span(buffer->memory, buffer->size), std::byte{'?'});
  std::ranges::copy(std::as_bytes(std::span(text.substr(0, taken))), buffer->memory);
  receive.delivered += static_cast<std::uint32_t>(taken);
  const std::uint32_t flags = uring::IORING_CQE_F_BUFFER | std::uint32_t{buffer->id}
                                                               << uring::IORING_CQE_BUFFER_SHIFT;
  if (receive.is_multishot() && !ends && taken < limit) {
    go_on(receive, static_cast<std::int32_t>(taken), flags);
  } else {
    end(take_at(index), static_cast<std::int32_t>(taken), flags);
  }
  return taken;
}

// What is received into a buffer that is being sent goes to the wrong client.
void ForgedServer::expect_unused(const Buffer& buffer) const {
  const auto is_inside = [&](std::span<const std::byte> piece) {
    return piece.data() >= buffer.memory && piece.data() < buffer.memory + buffer.size;
  };
  for (const Operation& other : in_flight_) {
    const bool sends = (other.sqe.opcode == uring::IORING_OP_SEND && is_inside(other.memory())) ||
                       std::ranges::any_of(other.pieces, is_inside);
    EXPECT_FALSE(sends) << "buffer " << buffer.id << " was given back before its send has ended";
  }
}

void ForgedServer::send(Client& client, std::size_t most) {
  const bool one = count(client, uring::IORING_OP_SEND) > 0;
  end_send(client, take(client, one ? uring::IORING_OP_SEND : uring::IORING_OP_SENDMSG), most);
  turn();
}

void ForgedServer::end_send(Client& client, const Operation& operation, std::size_t most) {
  const std::string taken = operation.text().substr(0, most);
  client.received += taken;
  end(operation, static_cast<std::int32_t>(taken.size()));
}

void ForgedServer::signal(int number) {
  CHECK(::pthread_kill(thread_, number) == 0);
  end(take_at(need([](const Operation& other) { return other.id().kind >= loop::kFirstLoopKind; })),
      POLLIN);
  turn();
}

bool ForgedServer::has_closed(const Client& client) const {
  return std::ranges::find(closed_, client.fd) != closed_.end();
}

}  // namespace forged
