#pragma once
// What a server is asked to speak. Server<P> does the rest.
//
// The calls come from the loop, one at a time. Each may arm up to P::kMaxSqesPerHandler operations,
// by Server::arm(), and besides finish() and close() the connection that it is about. Who closes
// others, too, counts kMostSqesOfClose for each in kMaxSqesPerHandler.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>

#include "common/loop/op_id.hpp"
#include "common/server/close_chain.hpp"
#include "common/server/connection.hpp"
#include "common/uring/uapi.hpp"

namespace server {

template <class P>
class Server;

template <class P>
concept Protocol = std::derived_from<typename P::Connection, Connection> &&
    std::default_initializable<typename P::Connection> &&
    requires(P protocol, const P& constant, const typename P::Connection& connection,
             std::uint32_t slot, loop::OpId id, const uring::io_uring_cqe& cqe, Server<P>& server) {
  { P::kMaxSqesPerHandler } -> std::convertible_to<std::uint32_t>;

  // Before the first connection, in the thread that serves: the protocol keeps the reference, and
  // can register with the ring what it needs. It arms nothing yet.
  protocol.start(server);

  // Accepted, nothing has been received. Arms the first receive, and may set a deadline.
  protocol.on_open(slot);

  // One of the protocol's own operations (kFirstProtocolKind and up) has completed. The connection
  // may be lingering or closing already, Server::is_open() tells: then the completion is there to
  // give back what it carries, and nothing is armed.
  protocol.on_completion(id, cqe);

  // A completion of a connection that is gone: somewhere a count is wrong. See loop::EventLoop.
  protocol.on_stale(id, cqe);

  // The deadline that the protocol has set has passed. It closes the connection, or sets another.
  protocol.on_deadline(slot);

  // The server stops: finish what is under way, then Server::finish(). Called once for each
  // connection that is open. Where nothing is under way, finish() comes at once.
  protocol.on_drain(slot);

  // Optional: protocol.on_closing(slot). close() has been called, by whomever: the connection leaves
  // the lists in which it waits for something. It arms nothing; the operations in flight are
  // cancelled next.

  // The last operation has ended and the descriptor is closed: release what the connection holds.
  // It is made anew for the next one that gets the slot.
  protocol.on_closed(slot);

  // Once per turn, after all completions and timers of the turn.
  protocol.before_wait();

  // What close() cancels: the protocol's operations in flight on the socket, at most two.
  { constant.waiting(connection) } -> std::same_as<Waiting>;

  // For the report: bytes that wait for this client in memory (`buffered`), and whether anything
  // waits for it to read (`writing`).
  { constant.waiting_bytes(connection) } -> std::convertible_to<std::size_t>;
  { constant.is_writing(connection) } -> std::convertible_to<bool>;

  // Descriptors that the protocol itself may have open at a time: connections must not take them.
  { constant.spare_descriptors() } -> std::convertible_to<std::uint32_t>;

  // More for the report: what it has counted, as support::counters_as_text() makes it, behind the
  // server's counters; and whole lines of its own, behind the loop's counters.
  { constant.report_counters() } -> std::convertible_to<std::string>;
  { constant.report_details() } -> std::convertible_to<std::string>;
};

}  // namespace server
