#pragma once
// One client of the network server: what it costs while it is silent is this, and no buffer.

#include <cstdint>
#include <memory>

#include "common/server/connection.hpp"
#include "common/server/room_wait.hpp"
#include "common/server/slot_list.hpp"
#include "m3_network_server/buffer_chains.hpp"
#include "m3_network_server/connection_state.hpp"
#include "m3_network_server/spill.hpp"

namespace network_server {

struct EchoConnection : server::Connection {
  EchoConnection() = default;

  // What has been received and is not sent: first the spill, if there is one, then the chain.
  BufferChain chain;
  std::unique_ptr<Spill> spill;

  // Waits for buffers, or is blocked and holds some.
  server::SlotLink link;
  bool waits_for_buffers = false;  // which of the two

  // Operations in flight.
  bool receiving = false;       // RECV
  bool multishot = false;       // that one is a multishot
  bool cancelling = false;      // and its cancel is on its way
  bool awaiting_input = false;  // POLL_ADD for POLLIN
  bool sending = false;         // SEND or SENDMSG
  server::RoomWait room;        // blocked: the socket is full

  bool ready = false;         // is looked at before the turn ends: see EchoServer::before_wait()
  bool end_received = false;  // the client has shut down its side
  State shown = State::Accepted;  // by --log-states
  std::uint8_t batch_mark = 0;    // of BatchWait

  [[nodiscard]] bool has_unsent() const { return spill != nullptr || !chain.empty(); }
  // Its socket takes no more, and its bytes wait.
  [[nodiscard]] bool blocked() const { return room.waiting(); }
};
static_assert(sizeof(EchoConnection) <= 128);

[[nodiscard]] State state_of(const EchoConnection& connection);

}  // namespace network_server
