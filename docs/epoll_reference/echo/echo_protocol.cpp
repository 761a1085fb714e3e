#include "docs/epoll_reference/echo/echo_protocol.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "common/base/check.hpp"
#include "docs/epoll_reference/server/server.hpp"

namespace epoll_reference {
namespace {

constexpr std::size_t kBufferSize = 64 << 10;
constexpr std::size_t kBrokenBufferSize = 4 << 10;
constexpr int kReadsPerTurn = 4;

}  // namespace

EchoProtocol::EchoProtocol(Reactor& reactor, EchoMode mode, std::size_t max_buffered)
    : reactor_(reactor),
      mode_(mode),
      max_buffered_(max_buffered),
      buffer_size_(mode == EchoMode::BrokenEdgeTriggered ? kBrokenBufferSize : kBufferSize),
      buffer_(std::make_unique<std::byte[]>(buffer_size_)) {}

Connection& EchoProtocol::make() {
  EchoConnection& connection = pool_.make(max_buffered_);
  connection.protocol = this;
  return connection;
}

void EchoProtocol::recycle(Connection& connection) {
  pool_.recycle(static_cast<EchoConnection&>(connection));
}

std::uint32_t EchoProtocol::first_interest() const {
  return mode_ == EchoMode::LevelTriggered
             ? EPOLLIN
             : EPOLLIN | EPOLLRDHUP | EPOLLPRI | std::uint32_t{EPOLLET};
}

void EchoProtocol::on_events(Connection& base, std::uint32_t events) {
  auto& connection = static_cast<EchoConnection&>(base);
  // EPOLLHUP says that both directions are shut. We shut ours in finish() only, behind which no
  // event comes here; so that is a reset, as EPOLLERR is.
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) [[unlikely]] {
    return connection.server->close(connection, CloseReason::Error);
  }
  if ((events & (EPOLLRDHUP | EPOLLPRI)) != 0) {
    connection.read_to_end = true;
  }
  if ((events & EPOLLOUT) != 0) {
    flush(connection);
  }
  if ((events & (EPOLLIN | EPOLLRDHUP)) != 0) {
    read(connection);
  }
  settle(connection);
}

void EchoProtocol::read(EchoConnection& connection) {
  if (mode_ == EchoMode::EdgeTriggered) {
    read_until_empty(connection);
  } else {
    receive_and_send(connection);
  }
}

// [snippet: drain_until_empty]
void EchoProtocol::read_until_empty(EchoConnection& connection) {
  for (int i = 0; i < kReadsPerTurn; ++i) {
    const Received received = receive_and_send(connection);
    if (received == Received::Nothing || (received == Received::Part && !connection.read_to_end)) {
      return;
    }
  }
  if (!connection.scheduled) {
    connection.scheduled = true;
    reactor_.defer(Callback<>::to<&EchoProtocol::read_on>(connection));
  }
}

void EchoProtocol::read_on(EchoConnection& connection) {
  connection.scheduled = false;
  connection.protocol->read_until_empty(connection);
  connection.protocol->settle(connection);
}
// [/snippet]

EchoProtocol::Received EchoProtocol::receive_and_send(EchoConnection& connection) {
  if (connection.closed || connection.ending || connection.reading_stopped) {
    return Received::Nothing;
  }
  // Never more than the write buffer has room for, should the socket take none of it.
  const std::size_t size = std::min(buffer_size_, connection.out.room());
  const ssize_t result = ::recv(connection.fd, buffer_.get(), size, 0);
  if (result < 0) {
    if (const int error = base::last_error().value; error != EAGAIN && error != EINTR) {
      connection.server->close(connection, CloseReason::Error);
    }
    return Received::Nothing;
  }
  if (result == 0) {
    connection.end_was_read = true;
    connection.ending = true;
    return Received::Nothing;
  }
  const auto count = static_cast<std::size_t>(result);
  connection.server->note_received(connection, count);
  send(connection, {buffer_.get(), count});
  return count < size ? Received::Part : Received::Full;
}

void EchoProtocol::send(EchoConnection& connection, std::span<const std::byte> data) {
  const std::size_t waiting_before = connection.out.size();
  const auto accepted = connection.out.write(connection.fd, data);
  if (!accepted) {
    return connection.server->close(connection, CloseReason::Error);
  }
  CHECK(*accepted == data.size(), "no more was received than there was room for");
  connection.server->note_sent(connection, waiting_before + data.size() - connection.out.size());
  if (connection.out.full()) {
    connection.server->stop_reading(connection);
  }
}

void EchoProtocol::flush(EchoConnection& connection) {
  const std::size_t waiting_before = connection.out.size();
  if (!connection.out.flush(connection.fd)) {
    return connection.server->close(connection, CloseReason::Error);
  }
  connection.server->note_sent(connection, waiting_before - connection.out.size());
  // At half the limit and not at once: otherwise each few bytes that the client takes would cost
  // two changes of the registration.
  if (connection.out.size() <= connection.out.limit() / 2) {
    connection.server->resume_reading(connection);
  }
}

// After whatever has happened: what the connection waits for now.
void EchoProtocol::settle(EchoConnection& connection) {
  if (connection.closed) {
    return;
  }
  const bool waiting = connection.out.waiting();
  if (connection.ending && !waiting) [[unlikely]] {
    // Behind the end of the stream nothing comes that close() would answer with a reset.
    return connection.end_was_read ? connection.server->close(connection, CloseReason::Done)
                                   : connection.server->finish(connection);
  }
  const bool reading = !connection.ending && !connection.reading_stopped;
  const std::uint32_t unread_events = EPOLLIN | EPOLLRDHUP;
  connection.server->watch(connection,
                           (reading ? first_interest() : first_interest() & ~unread_events) |
                               (waiting ? std::uint32_t{EPOLLOUT} : 0));
}

// What has come by now is answered (of a client that floods us: a turn's share of it), and nothing
// that comes later.
void EchoProtocol::on_drain(Connection& base) {
  auto& connection = static_cast<EchoConnection&>(base);
  for (int i = 0; i < kReadsPerTurn && receive_and_send(connection) == Received::Full; ++i) {
  }
  connection.ending = true;
  settle(connection);
}

}  // namespace epoll_reference
