// The state of a connection as --log-states names it, derived from what is in flight and held.

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "m3_network_server/connection_state.hpp"
#include "m3_network_server/echo_connection.hpp"

namespace {

using network_server::EchoConnection;
using network_server::State;
using network_server::state_of;
using network_server::to_string;

}  // namespace

TEST(NetworkConnectionState, EachHasAName) {
  std::set<std::string> names;
  for (int state = 0; state <= static_cast<int>(State::Closed); ++state) {
    names.insert(to_string(static_cast<State>(state)));
  }
  EXPECT_EQ(names, (std::set<std::string>{"accepted", "receiving", "sending", "stopped", "waiting",
                                          "ending", "lingering", "closing", "closed"}));
}

// Each thing that becomes true takes precedence over those before it.
TEST(NetworkConnectionState, TheLastThatIsTrueIsTheState) {
  EchoConnection connection;
  EXPECT_EQ(state_of(connection), State::Accepted);
  connection.awaiting_input = true;
  EXPECT_EQ(state_of(connection), State::Receiving);
  connection.awaiting_input = false;
  connection.receiving = true;
  EXPECT_EQ(state_of(connection), State::Receiving);
  connection.chain.count = 1;
  EXPECT_EQ(state_of(connection), State::Sending);
  connection.reading_stopped = true;
  EXPECT_EQ(state_of(connection), State::Stopped);
  connection.waits_for_buffers = true;
  EXPECT_EQ(state_of(connection), State::Waiting);
  connection.ending = true;
  EXPECT_EQ(state_of(connection), State::Ending);
  connection.lingering = true;
  EXPECT_EQ(state_of(connection), State::Lingering);
  connection.closing = true;
  EXPECT_EQ(state_of(connection), State::Closing);
}

TEST(NetworkConnectionState, WhatWasCopiedOutIsUnsent) {
  EchoConnection connection;
  connection.receiving = true;
  connection.spill = network_server::Spill::make(1);
  ASSERT_NE(connection.spill, nullptr);
  EXPECT_EQ(state_of(connection), State::Sending);
  connection.spill.reset();
  EXPECT_EQ(state_of(connection), State::Receiving);
}
