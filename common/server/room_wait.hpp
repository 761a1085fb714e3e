#pragma once
// A connection's wait for room in its socket's send buffer, for sends that do not wait themselves
// (MSG_DONTWAIT): a POLL_ADD for POLLOUT, and where that is no use a wait by the clock.
//
// KERNEL: POLL_ADD reports POLLRDHUP, too, asked or not. Of a client that has shut down its side and
// does not read, every poll completes at once and every send ends with EAGAIN. (To leave the waiting
// to the SEND is no way out: for such a client it becomes a blocked worker thread.) So this one is
// asked again after 1 ms, then 2, up to 128, until bytes have gone out.
//
// The clock is the protocol's deadline: there is no other while a connection waits for room.

#include <poll.h>

#include <algorithm>
#include <cstdint>

#include "common/uring/prep.hpp"

namespace server {

class RoomWait {
 public:
  enum class Next : std::uint8_t {
    Send,   // there may be room: it is over
    Wait,   // goes on, by the clock: on_deadline() ends it
    Close,  // the poll has failed: it is over, and so is the connection
  };

  // It waits: nothing is sent meanwhile.
  [[nodiscard]] bool waiting() const { return state_ != State::None; }
  // The POLL_ADD is in flight, which a close cancels: see Waiting.
  [[nodiscard]] bool polling() const { return state_ == State::Polling; }

  // Arms the POLL_ADD, as an operation of this kind. `S` is the protocol's Server.
  template <class S>
  void begin(S& server, std::uint32_t slot, std::uint8_t kind) {
    uring::io_uring_sqe& poll = server.arm(slot, kind);
    uring::prep_poll_add(poll, server.connection(slot).fd, POLLOUT);
    server.use_socket(poll);
    state_ = State::Polling;
  }

  // The POLL_ADD has completed.
  template <class S>
  [[nodiscard]] Next on_polled(S& server, std::uint32_t slot, std::int32_t res) {
    if (res >= 0 && (res & (POLLOUT | POLLERR | POLLHUP)) == 0 && server.is_open(slot)) {
      const unsigned doublings = clock_waits_;
      clock_waits_ = static_cast<std::uint8_t>(std::min(doublings + 1, kMostDoublings));
      server.set_deadline(slot, server.turn_ns() + (kFirstClockWaitNs << doublings));
      state_ = State::Clock;
      return Next::Wait;
    }
    end();
    return res < 0 ? Next::Close : Next::Send;
  }

  // It is over: the deadline has passed, or the connection is through.
  void end() { state_ = State::None; }

  // A send has been accepted, all of it or a part: the next wait by the clock is a short one again.
  void note_sent() { clock_waits_ = 0; }

 private:
  static constexpr std::uint64_t kFirstClockWaitNs = 1'000'000;
  static constexpr unsigned kMostDoublings = 7;

  enum class State : std::uint8_t { None, Polling, Clock };
  State state_ = State::None;
  std::uint8_t clock_waits_ = 0;  // since bytes went out last
};

}  // namespace server
