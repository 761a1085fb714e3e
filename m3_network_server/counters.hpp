#pragma once
// What the network server counts of its requests and buffers.

#include <array>
#include <cstdint>

#include "common/support/counters.hpp"

namespace network_server {

struct EchoCounters {
  std::uint64_t receives = 0;          // RECV requests
  std::uint64_t received_buffers = 0;  // completions that brought a buffer with bytes
  std::uint64_t receives_ended = 0;    // multishot receives that ended before their connection did
  std::uint64_t receive_cancels = 0;   // of them: cancelled by back-pressure
  std::uint64_t buffer_waits = 0;      // times that a connection had to wait for buffers
  std::uint64_t sends = 0;             // requests
  std::uint64_t short_sends = 0;       // of them: took less than they were given
  std::uint64_t sends_blocked = 0;     // times that a socket took no more
  std::uint64_t sent_buffers = 0;      // sent to their last byte
  std::uint64_t replenishes = 0;       // times that buffers were given back, once a turn
  std::uint64_t urgent_replenishes = 0;  // the same in the middle of a turn: few were left
  std::uint64_t batch_waits = 0;         // turns that waited for more than one completion
  std::uint64_t spills = 0;  // times that the bytes of a client that does not read were copied out

  static constexpr auto list() {
    return std::to_array<support::Counter<EchoCounters>>(
        {{"receives", &EchoCounters::receives},
         {"received_buffers", &EchoCounters::received_buffers},
         {"receives_ended", &EchoCounters::receives_ended},
         {"receive_cancels", &EchoCounters::receive_cancels},
         {"buffer_waits", &EchoCounters::buffer_waits},
         {"sends", &EchoCounters::sends},
         {"short_sends", &EchoCounters::short_sends},
         {"sends_blocked", &EchoCounters::sends_blocked},
         {"sent_buffers", &EchoCounters::sent_buffers},
         {"replenishes", &EchoCounters::replenishes},
         {"urgent_replenishes", &EchoCounters::urgent_replenishes},
         {"batch_waits", &EchoCounters::batch_waits},
         {"spills", &EchoCounters::spills}});
  }
};

// As it is when the report is printed.
struct BufferGauges {
  std::uint64_t buffers_with_kernel = 0;
  std::uint64_t buffers_held = 0;      // by connections: received, and not sent to their last byte
  std::uint64_t buffers_held_max = 0;  // so far
  std::uint64_t buffer_waiters = 0;    // connections

  static constexpr auto list() {
    return std::to_array<support::Counter<BufferGauges>>(
        {{"buffers_with_kernel", &BufferGauges::buffers_with_kernel},
         {"buffers_held", &BufferGauges::buffers_held},
         {"buffers_held_max", &BufferGauges::buffers_held_max},
         {"buffer_waiters", &BufferGauges::buffer_waiters}});
  }
};

}  // namespace network_server
