#include "m3_network_server/connection_state.hpp"

#include "m3_network_server/echo_connection.hpp"

namespace network_server {

const char* to_string(State state) {
  switch (state) {
    case State::Accepted:
      return "accepted";
    case State::Receiving:
      return "receiving";
    case State::Sending:
      return "sending";
    case State::Stopped:
      return "stopped";
    case State::Waiting:
      return "waiting";
    case State::Ending:
      return "ending";
    case State::Lingering:
      return "lingering";
    case State::Closing:
      return "closing";
    case State::Closed:
      return "closed";
  }
  return "?";
}

State state_of(const EchoConnection& connection) {
  if (connection.closing) {
    return State::Closing;
  }
  if (connection.lingering) {
    return State::Lingering;
  }
  if (connection.ending) {
    return State::Ending;
  }
  if (connection.waits_for_buffers) {
    return State::Waiting;
  }
  if (connection.reading_stopped) {
    return State::Stopped;
  }
  if (connection.has_unsent()) {
    return State::Sending;
  }
  return connection.receiving || connection.awaiting_input ? State::Receiving : State::Accepted;
}

}  // namespace network_server
