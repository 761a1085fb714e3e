#pragma once
// What a server is asked to speak: the echo, HTTP. Server does the rest.
//
// The calls are virtual. One indirect call per event is two or three nanoseconds of the
// microseconds that the system calls of that event take, so that a template would gain nothing
// here.

#include <cstddef>
#include <cstdint>
#include <string>

#include "docs/epoll_reference/server/connection.hpp"

namespace epoll_reference {

class Protocol {
 public:
  Protocol() = default;
  Protocol(const Protocol&) = delete;
  Protocol& operator=(const Protocol&) = delete;
  virtual ~Protocol() = default;

  // A connection's memory, from the protocol's ConnectionPool and back. recycle() comes at the end
  // of the turn in which it was closed, outside of all its callbacks.
  [[nodiscard]] virtual Connection& make() = 0;
  virtual void recycle(Connection& connection) = 0;

  // Which events a new connection is watched for: EPOLLIN, perhaps EPOLLRDHUP; with EPOLLET, the
  // listener is edge-triggered, too.
  [[nodiscard]] virtual std::uint32_t first_interest() const = 0;

  // Accepted and registered; nothing has been read. Here the protocol sets its first deadline.
  virtual void on_open(Connection&) {}

  // The socket is ready for `events`. The connection is open.
  virtual void on_events(Connection& connection, std::uint32_t events) = 0;

  // The deadline that the protocol has set has passed. It closes the connection, or sets another.
  virtual void on_deadline(Connection&) {}

  // The server stops: finish what is under way, then Server::finish(). Called once for each open
  // connection, outside of its callbacks. Where nothing is under way, finish() comes at once.
  virtual void on_drain(Connection& connection) = 0;

  // Bytes that wait for this client: what the report prints as `buffered`.
  [[nodiscard]] virtual std::size_t waiting_bytes(const Connection& connection) const {
    return connection.out.size();
  }

  // Whether something waits for the client to read: what the report calls `writing`. It may lie in
  // a file, and not be buffered.
  [[nodiscard]] virtual bool is_writing(const Connection& connection) const {
    return waiting_bytes(connection) > 0;
  }

  // Descriptors that the protocol itself may have open at a time: connections must not take them.
  [[nodiscard]] virtual std::uint32_t spare_descriptors() const { return 0; }

  // More lines for the report, as support::counters_as_text() makes them.
  [[nodiscard]] virtual std::string counters_text() const { return {}; }
};

}  // namespace epoll_reference
