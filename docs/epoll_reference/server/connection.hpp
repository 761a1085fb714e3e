#pragma once
// What every connection has, whatever is spoken on it. A protocol derives its own from it:
//
//   struct EchoConnection : Connection {
//     using Connection::Connection;
//     ...
//   };
//
// and keeps them in a ConnectionPool. It is there from Protocol::make() to Protocol::recycle();
// between Server::close() and the end of that turn it is closed already, and nobody calls it any
// more.
//
// Ten thousand silent connections are held by what is here, so no buffers are: a WriteBuffer has
// memory only while bytes wait in it, and what is received goes through one buffer that all
// connections share.

#include <cstddef>
#include <cstdint>

#include "docs/epoll_reference/reactor/registrations.hpp"
#include "docs/epoll_reference/reactor/timer_table.hpp"
#include "docs/epoll_reference/reactor/write_buffer.hpp"

namespace epoll_reference {

class Server;

struct Connection {
  // `out_limit`: at most so many bytes wait for the client in `out`.
  explicit Connection(std::size_t out_limit = WriteBuffer::kDefaultLimit) : out(out_limit) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Server* server = nullptr;
  int fd = -1;
  Registration registration;

  // Set by the protocol, shown by the report.
  bool reading_stopped = false;  // by back-pressure: see Server::stop_reading()
  bool ending = false;           // nothing more is read, and it closes when all has been sent
  // Set by the server.
  bool lingering = false;  // see Server::finish()
  bool closed = false;
  std::uint8_t linger_checks = 0;

  WriteBuffer out;  // what the socket has not taken yet.

  std::uint64_t received_bytes = 0;
  std::uint64_t sent_bytes = 0;

  // Times in nanoseconds of CLOCK_MONOTONIC, and 0 for none.
  std::uint64_t opened_ns = 0;
  std::uint64_t active_ns = 0;        // when a byte moved last
  std::uint64_t idle_timeout_ns = 0;  // a length of time, with this connection's jitter
  std::uint64_t deadline_ns = 0;      // the protocol's own: Server::set_deadline()
  std::uint64_t timer_ns = 0;         // when `timer` fires: at expires_at_ns() or before
  TimerHandle timer;

  Connection* previous = nullptr;  // all that are open, in the order in which they were accepted
  Connection* next = nullptr;

  // When silence or the protocol's deadline ends it; 0: never.
  [[nodiscard]] std::uint64_t expires_at_ns() const {
    const std::uint64_t idle_end_ns = idle_timeout_ns == 0 ? 0 : active_ns + idle_timeout_ns;
    if (deadline_ns == 0 || idle_end_ns == 0) {
      return deadline_ns + idle_end_ns;
    }
    return deadline_ns < idle_end_ns ? deadline_ns : idle_end_ns;
  }
};

// What a silent connection costs in memory of the process: this and the protocol's own part, 40
// bytes in the table of registrations, 100 in those of timers. That is less than 400 bytes, so 4 MB
// for ten thousand. (The kernel's part is some kilobytes each.)
static_assert(sizeof(Connection) <= 160);

}  // namespace epoll_reference
