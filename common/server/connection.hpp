#pragma once
// What every connection has, whatever is spoken on it. A protocol derives its own from it, and the
// server keeps that one under the number of the connection's slot, at an address that never
// changes.
//
//   struct EchoConnection : server::Connection {
//     ...
//   };
//
// Three things can be over at different times: the talk (lingering, closing), the descriptor (fd is
// -1 from Server::close() on), and the memory. The memory is last: until the last operation has
// completed, the kernel may write to it.

#include <cstdint>

#include "common/timers/timer_heap.hpp"

namespace server {

enum class CloseReason : std::uint8_t {
  Done,   // both sides are through
  Error,  // of the socket: the peer has reset it, as a rule
  Idle,   // silent for the idle timeout, or a deadline of the protocol
  Drain,  // the server stops, and could not wait any longer
};

struct Connection {
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int fd = -1;

  // Set by the protocol, shown by the report.
  bool reading_stopped = false;  // by back-pressure: see Server::stop_reading()
  bool ending = false;           // nothing more is read, and it closes when all has been sent
  // Set by the server.
  bool lingering = false;   // see Server::finish()
  bool closing = false;     // close() was called: it waits for its operations to end
  bool discarding = false;  // the RECV of a lingering one is in flight
  std::uint8_t linger_checks = 0;

  std::uint64_t received_bytes = 0;
  std::uint64_t sent_bytes = 0;

  // Times in nanoseconds of CLOCK_MONOTONIC, and 0 for none.
  std::uint64_t opened_ns = 0;
  std::uint64_t active_ns = 0;        // when a byte moved last
  std::uint64_t idle_timeout_ns = 0;  // a length of time, with this connection's jitter
  std::uint64_t deadline_ns = 0;      // the protocol's own: Server::set_deadline()
  std::uint64_t timer_ns = 0;         // when `timer` fires: at expires_at_ns() or before
  timers::TimerHandle timer;

  // When silence or the protocol's deadline ends it; 0: never.
  [[nodiscard]] std::uint64_t expires_at_ns() const {
    const std::uint64_t idle_end_ns = idle_timeout_ns == 0 ? 0 : active_ns + idle_timeout_ns;
    if (deadline_ns == 0 || idle_end_ns == 0) {
      return deadline_ns + idle_end_ns;
    }
    return deadline_ns < idle_end_ns ? deadline_ns : idle_end_ns;
  }
};

// Ten thousand silent connections are held by what is here, so no buffers are.
static_assert(sizeof(Connection) <= 104);

}  // namespace server
