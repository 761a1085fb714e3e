#pragma once
// The state of a connection as a reader of --log-states sees it: what it waits for. The server keeps
// no such variable. What it does follows from what is in flight and what is held, of which several
// things go on at a time (receiving goes on while a send is in flight), and the state is derived from
// these, by state_of().

#include <cstdint>

namespace network_server {

// In the order of precedence: the last one that is true is the state.
enum class State : std::uint8_t {
  Accepted,   // nothing is armed yet
  Receiving,  // a receive is in flight, and everything has been sent
  Sending,    // bytes are on their way back, or wait for room in the socket
  Stopped,    // by back-pressure: nothing is received until some of it has been sent
  Waiting,    // for a buffer to receive into
  Ending,     // nothing more is received; it ends when everything has been sent
  Lingering,  // our side is shut down, the client has a moment to see it
  Closing,    // cancelled and closed: the last completions are on their way
  Closed,     // the slot is free
};

[[nodiscard]] const char* to_string(State state);

}  // namespace network_server
