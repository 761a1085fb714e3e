#pragma once
// What a server counts from its start on, whatever it waits with and whatever its protocol is.

#include <array>
#include <cstdint>

#include "common/support/counters.hpp"

namespace support {

struct ServerCounters {
  std::uint64_t accepted = 0;
  std::uint64_t closed = 0;
  std::uint64_t closed_idle = 0;    // of the closed ones: by silence, or a deadline of the protocol
  std::uint64_t closed_reset = 0;   // by ECONNRESET, EPIPE or another error of the socket
  std::uint64_t closed_drain = 0;   // because the server stopped, with bytes under way
  std::uint64_t accept_pauses = 0;  // times that accepting paused, for whatever reason
  std::uint64_t accept_errors = 0;  // connections that were gone before they were accepted
  std::uint64_t reading_stops = 0;  // times that back-pressure stopped the reading of a client
  std::uint64_t received_bytes = 0;
  std::uint64_t sent_bytes = 0;

  static constexpr auto list() {
    return std::to_array<Counter<ServerCounters>>(
        {{"accepted", &ServerCounters::accepted},
         {"closed", &ServerCounters::closed},
         {"closed_idle", &ServerCounters::closed_idle},
         {"closed_reset", &ServerCounters::closed_reset},
         {"closed_drain", &ServerCounters::closed_drain},
         {"accept_pauses", &ServerCounters::accept_pauses},
         {"accept_errors", &ServerCounters::accept_errors},
         {"reading_stops", &ServerCounters::reading_stops},
         {"received_bytes", &ServerCounters::received_bytes},
         {"sent_bytes", &ServerCounters::sent_bytes}});
  }
};

}  // namespace support
