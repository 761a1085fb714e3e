// Silence and deadlines.

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "common/support/cpu_clock.hpp"
#include "tests/server/client.hpp"
#include "tests/server/server_process.hpp"
#include "tests/server/test_protocol.hpp"

namespace server_test {
namespace {

using std::chrono_literals::operator""ms;

class ServerTime : public ServerTest {};
FOR_ALL_SERVER_KINDS(ServerTime);

TEST_P(ServerTime, ASilentConnectionIsClosedAndNotBefore) {
  support::ServerOptions options = quiet_options();
  options.idle_timeout = 300ms;
  ServerProcess server(GetParam(), options);
  const std::uint64_t start_ns = support::now_ns();
  const Client client(server.address());
  EXPECT_EQ(client.receive_to_the_end().error, 0);
  EXPECT_GE(support::now_ns() - start_ns, 300'000'000U);
  const Report report = server.await("connections", 0);
  EXPECT_EQ(report["closed_idle"], 1U);
  EXPECT_EQ(report["closed_calls"], 1U);
}

TEST_P(ServerTime, EachByteMovesTheEnd) {
  support::ServerOptions options = quiet_options();
  options.idle_timeout = 400ms;
  ServerProcess server(GetParam(), options);
  const Client client(server.address());
  std::uint64_t before_last_ns = 0;
  for (int i = 0; i < 10; ++i) {  // for more than two timeouts, with no silence of one
    before_last_ns = support::now_ns();
    ASSERT_EQ(client.ask("e"), "e");
    ::usleep(100'000);
  }
  EXPECT_EQ(client.receive_to_the_end().error, 0);
  EXPECT_GE(support::now_ns() - before_last_ns, 400'000'000U);
}

TEST_P(ServerTime, ADeadlineOfTheProtocolIsKept) {
  ServerProcess server(GetParam(), quiet_options());
  const Client client(server.address());
  const std::uint64_t start_ns = support::now_ns();
  EXPECT_EQ(client.ask("d"), "d");
  EXPECT_EQ(client.receive_to_the_end().error, 0);
  EXPECT_GE(support::now_ns() - start_ns, kDeadlineNs);
  EXPECT_EQ(server.await("connections", 0)["deadlines"], 1U);
}

TEST_P(ServerTime, ADeadlineCanBeSetFromItsOwnEnd) {
  ServerProcess server(GetParam(), quiet_options());
  const Client client(server.address());
  const std::uint64_t start_ns = support::now_ns();
  EXPECT_EQ(client.ask("D"), "D");
  EXPECT_EQ(client.receive_to_the_end().error, 0);
  EXPECT_GE(support::now_ns() - start_ns, 2 * kDeadlineNs);
  EXPECT_EQ(server.await("connections", 0)["deadlines"], 2U);
}

TEST_P(ServerTime, PrintsNumbersInAnInterval) {
  support::ServerOptions options = quiet_options();
  options.stats_interval = 50ms;
  ServerProcess server(GetParam(), options);
  const Client client(server.address());
  EXPECT_EQ(client.ask("e"), "e");
  const std::string line = server.next_line();
  EXPECT_TRUE(line.starts_with("stats 0.")) << line;
  EXPECT_NE(line.find(" connections "), std::string::npos) << line;
}

}  // namespace
}  // namespace server_test
