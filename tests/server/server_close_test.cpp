// The end of a connection: what is lost, what is not, and when its memory may go.

#include <algorithm>
#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "common/support/cpu_clock.hpp"
#include "tests/server/client.hpp"
#include "tests/server/server_process.hpp"
#include "tests/server/test_protocol.hpp"

namespace server_test {
namespace {

class ServerClose : public ServerTest {};
FOR_ALL_SERVER_KINDS(ServerClose);

TEST_P(ServerClose, WithAReceiveInFlightItIsAnEndForTheClient) {
  ServerProcess server(GetParam(), quiet_options());
  constexpr std::uint64_t kMany = 20;
  for (std::uint64_t i = 1; i <= kMany; ++i) {
    const Client client(server.address());
    client.send("c");
    const Rest rest = client.receive_to_the_end();
    EXPECT_EQ(rest.bytes, 0U);
    EXPECT_EQ(rest.error, 0);
  }
  const Report report = server.await("closed_calls", kMany);
  EXPECT_EQ(report["closed"], kMany) << "a second close() does nothing";
  EXPECT_EQ(report["closed_reset"], 0U);
  EXPECT_EQ(report["slots_in_use"], 1U);
  EXPECT_EQ(report["stale"], 0U);
}

TEST_P(ServerClose, WaitsForWhatNoCancelOnTheSocketEnds) {
  ServerProcess server(GetParam(), quiet_options());
  const std::size_t descriptors = server.open_descriptors();
  const Client client(server.address());
  client.send("t");
  EXPECT_EQ(client.receive_to_the_end().error, 0) << "the descriptor does not wait";
  Report report = server.await("closed", 1);
  EXPECT_EQ(report["closed_calls"], 0U);
  EXPECT_EQ(report["connections"], 1U);
  EXPECT_NE(report.text.find("\n-1  gone  closing "), std::string::npos) << report.text;
  EXPECT_EQ(server.open_descriptors(), descriptors);

  const Client other(server.address());
  EXPECT_EQ(other.ask("p"), "p");
  report = server.await("closed_calls", 1);
  EXPECT_EQ(report["connections"], 1U) << "the other one";
  EXPECT_EQ(report["slots_in_use"], 2U);
}

TEST_P(ServerClose, AResetIsCounted) {
  ServerProcess server(GetParam(), quiet_options());
  Client client(server.address());
  EXPECT_EQ(client.ask("e"), "e");
  client.reset();
  EXPECT_EQ(server.await("closed_calls", 1)["closed_reset"], 1U);
}

TEST_P(ServerClose, FinishLosesNothingOfTheAnswerWhileTheClientSends) {
  ServerProcess server(GetParam(), quiet_options());
  Client client(server.address());
  client.send("f");
  ASSERT_EQ(client.receive(1), "a") << "the answer is on its way";
  const std::string more(100'000, 'e');
  client.send(more);
  const Rest rest = client.receive_to_the_end();
  EXPECT_EQ(rest.bytes, kAnswerBytes - 1);
  EXPECT_EQ(rest.error, 0);
  client.send("and more");
  Report report = server.await("received_bytes", 1 + more.size() + 8);
  EXPECT_EQ(report["connections"], 1U);
  EXPECT_NE(report.text.find("closing"), std::string::npos);
  client.close();
  report = server.await("connections", 0);
  EXPECT_EQ(report["closed_reset"], 0U);
  EXPECT_EQ(report["stale"], 0U);
}

TEST_P(ServerClose, FinishDoesNotWaitForASilentClient) {
  ServerProcess server(GetParam(), quiet_options());
  const Client client(server.address());
  client.send("f");
  EXPECT_EQ(client.receive_to_the_end().bytes, kAnswerBytes);
  EXPECT_EQ(server.await("connections", 0)["closed_calls"], 1U);
}

TEST_P(ServerClose, FinishEndsWithAReceiveInFlight) {
  ServerProcess server(GetParam(), quiet_options());
  Client client(server.address());
  client.send("r");
  EXPECT_EQ(client.receive_to_the_end().error, 0);
  client.send("x");
  client.close();
  const Report report = server.await("connections", 0);
  EXPECT_EQ(report["received_bytes"], 2U);
  EXPECT_EQ(report["stale"], 0U);
}

TEST_P(ServerClose, FinishHasAnEndForAClientThatNeverStopsSending) {
  ServerProcess server(GetParam(), quiet_options());
  const Client client(server.address());
  client.send("f");
  EXPECT_EQ(client.receive(kAnswerBytes).size(), kAnswerBytes);
  constexpr std::uint64_t kMs = 1'000'000;
  const std::uint64_t start_ns = support::now_ns();
  std::uint64_t now_ns = start_ns;
  std::uint64_t longest_pause_ns = 0;
  while (client.send("on and on") && now_ns - start_ns < 15'000 * kMs) {
    const std::uint64_t before_ns = now_ns;
    now_ns = support::now_ns();
    longest_pause_ns = std::max(longest_pause_ns, now_ns - before_ns);
  }
  EXPECT_LT(now_ns - start_ns, 15'000 * kMs);
  if (longest_pause_ns < 100 * kMs) {  // else a busy machine has made it silent
    EXPECT_GE(now_ns - start_ns, 1'700 * kMs);
  }
  server.await("connections", 0);
}

TEST_P(ServerClose, AClientThatIsGoneCannotHoldALingeringConnection) {
  ServerProcess server(GetParam(), quiet_options());
  Client client(server.address());
  const std::uint64_t start_ns = support::now_ns();
  client.send("f");
  ASSERT_EQ(client.receive(1), "a");
  client.reset();
  const bool was_in_time = support::now_ns() - start_ns < 100'000'000;
  const Report report = server.await("connections", 0);
  if (was_in_time) {  // else a busy machine has made it silent
    EXPECT_EQ(report["closed_reset"], 1U);
  }
}

}  // namespace
}  // namespace server_test
