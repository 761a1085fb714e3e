#pragma once
// The echo, in three modes.
//
// Level-triggered, an event says "there is something to read", as long as there is. One recv() for
// an event is enough: if bytes are left, the next turn has the next event, after everybody else's.
//
// Edge-triggered, an event says "something has come". Whoever reads a part of it hears no more of
// the rest, until more comes. So it reads until the socket is empty; and since a client that sends
// without end would keep it from all others, it stops after a bound and goes on in a deferred task,
// in everybody's turn.
//
// The broken mode is what a level-triggered server becomes when EPOLLET is added to its flags and
// nothing else is changed. It works as long as what comes is no more than one recv() takes.
//
// When is a socket empty? When recv() says EAGAIN; but it says the same by returning less than was
// asked for, and that saves a call for each message. There are two exceptions. The end of the
// stream is no byte: FIN may have come with the bytes, in one event, which EPOLLRDHUP tells. And
// recv() stops in front of urgent data (MSG_OOB), which EPOLLPRI tells. Such a connection is read
// until recv() returns 0 or says EAGAIN.
//
// Back-pressure: what a client does not take waits in its write buffer. At the limit it is not read
// from any more, so that the client's own send buffer fills; at half of it, it is.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "docs/epoll_reference/reactor/reactor.hpp"
#include "docs/epoll_reference/server/connection.hpp"
#include "docs/epoll_reference/server/connection_pool.hpp"
#include "docs/epoll_reference/server/protocol.hpp"

namespace epoll_reference {

enum class EchoMode : std::uint8_t { LevelTriggered, EdgeTriggered, BrokenEdgeTriggered };

class EchoProtocol;

struct EchoConnection : Connection {
  using Connection::Connection;

  EchoProtocol* protocol = nullptr;
  bool read_to_end = false;  // EPOLLRDHUP or EPOLLPRI was seen: a short recv() means nothing
  bool end_was_read = false;
  bool scheduled = false;  // a deferred task goes on reading
};

static_assert(sizeof(EchoConnection) <= 176);

class EchoProtocol : public Protocol {
 public:
  // `max_buffered`: bytes that wait for one client, at most.
  EchoProtocol(Reactor& reactor, EchoMode mode, std::size_t max_buffered);

  Connection& make() override;
  void recycle(Connection& connection) override;
  [[nodiscard]] std::uint32_t first_interest() const override;
  void on_events(Connection& connection, std::uint32_t events) override;
  void on_drain(Connection& connection) override;

 private:
  enum class Received : std::uint8_t {
    Full,     // as much as was asked for: there may be more
    Part,     // less: that was all
    Nothing,  // or no more is to be read: the end, an error, the limit
  };

  void read(EchoConnection& connection);
  void read_until_empty(EchoConnection& connection);
  static void read_on(EchoConnection& connection);
  Received receive_and_send(EchoConnection& connection);
  void send(EchoConnection& connection, std::span<const std::byte> data);
  void flush(EchoConnection& connection);
  void settle(EchoConnection& connection);

  Reactor& reactor_;
  const EchoMode mode_;
  const std::size_t max_buffered_;
  ConnectionPool<EchoConnection> pool_;
  // What was received last, of whichever connection. It is sent or in a write buffer before the
  // next call of recv().
  const std::size_t buffer_size_;
  const std::unique_ptr<std::byte[]> buffer_;
};

}  // namespace epoll_reference
