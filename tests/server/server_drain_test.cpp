// Signals: the report, the drain, and the drain that is over.

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <iterator>
#include <list>
#include <string>

#include <gtest/gtest.h>

#include "tests/server/client.hpp"
#include "tests/server/server_process.hpp"

namespace server_test {
namespace {

using std::chrono_literals::operator""ms;

class ServerDrain : public ServerTest {};
FOR_ALL_SERVER_KINDS(ServerDrain);

// Not at once: clients may hear of the drain a moment before the listener has been closed.
[[nodiscard]] bool becomes_refused(const ServerProcess& server) {
  for (int i = 0; i < 10'000; ++i) {
    if (Client(server.address()).refused()) {
      return true;
    }
    ::usleep(2000);
  }
  return false;
}

TEST_P(ServerDrain, WithoutConnectionsItEndsAtOnce) {
  ServerProcess server(GetParam(), quiet_options());
  server.signal(SIGTERM);
  EXPECT_EQ(server.exit_status(), 0);
  EXPECT_EQ(server.last_words()["in_flight"], 0U);
}

TEST_P(ServerDrain, FinishesIdleConnectionsAndRefusesNewOnes) {
  ServerProcess server(GetParam(), quiet_options());
  const Client idle(server.address());
  const Client holding(server.address());
  EXPECT_EQ(idle.ask("e"), "e");
  EXPECT_EQ(holding.ask("h"), "h");
  server.signal(SIGTERM);
  EXPECT_EQ(idle.receive_to_the_end().error, 0);
  EXPECT_TRUE(becomes_refused(server));
  EXPECT_EQ(holding.ask("echo"), "echo") << "what is under way goes on";
  holding.send("c");
  EXPECT_EQ(server.exit_status(), 0);
  const Report end = server.last_words();
  EXPECT_EQ(end["closed"], 2U);
  EXPECT_EQ(end["closed_drain"], 0U);
  EXPECT_EQ(end["slots_in_use"], 0U);
}

TEST_P(ServerDrain, HasAnEndInTime) {
  support::ServerOptions options = quiet_options();
  options.drain_timeout = 200ms;
  ServerProcess server(GetParam(), options);
  const Client holding(server.address());
  EXPECT_EQ(holding.ask("h"), "h");
  server.signal(SIGINT);
  EXPECT_EQ(holding.receive_to_the_end().error, 0);
  EXPECT_EQ(server.exit_status(), 0);
  EXPECT_EQ(server.last_words()["closed_drain"], 1U);
}

// More connections than the SQ has room for closes.
TEST_P(ServerDrain, EndsWithTheSecondSignal) {
  ServerProcess server(GetParam(), quiet_options());
  constexpr int kMany = 200;
  std::list<Client> clients;
  for (int i = 0; i < kMany; ++i) {
    clients.emplace_back(server.address());
    ASSERT_EQ(clients.back().ask("h"), "h");
  }
  server.signal(SIGTERM);
  EXPECT_TRUE(becomes_refused(server));
  EXPECT_EQ(server.report()["connections"], std::uint64_t{kMany});
  server.signal(SIGTERM);
  for (const Client& client : clients) {
    EXPECT_EQ(client.receive_to_the_end().error, 0);
  }
  EXPECT_EQ(server.exit_status(), 0);
  EXPECT_EQ(server.last_words()["closed_drain"], std::uint64_t{kMany});
}

TEST_P(ServerDrain, FinishesManyAtOnce) {
  ServerProcess server(GetParam(), quiet_options());
  constexpr int kMany = 200;
  std::list<Client> clients;
  for (int i = 0; i < kMany; ++i) {
    clients.emplace_back(server.address());
    ASSERT_EQ(clients.back().ask("e"), "e");
  }
  server.signal(SIGTERM);
  for (Client& client : clients) {
    EXPECT_EQ(client.receive_to_the_end().error, 0);
    client.close();
  }
  EXPECT_EQ(server.exit_status(), 0);
  EXPECT_EQ(server.last_words()["closed"], std::uint64_t{kMany});
}

TEST_P(ServerDrain, EndsWhileAcceptingIsPaused) {
  support::ServerOptions options = quiet_options();
  options.max_connections = 1;
  ServerProcess server(GetParam(), options);
  const Client only(server.address());
  EXPECT_EQ(only.ask("e"), "e");
  server.signal(SIGTERM);
  EXPECT_EQ(only.receive_to_the_end().error, 0);
  EXPECT_EQ(server.exit_status(), 0);
}

TEST_P(ServerDrain, ClosesWhoCameEarly) {
  support::ServerOptions options = quiet_options();
  options.max_connections = 2;
  ServerProcess server(GetParam(), options);
  const std::size_t descriptors = server.open_descriptors();
  server.stop();
  std::list<Client> clients;
  constexpr int kMany = 100;  // more than the SQ has room for closes
  for (int i = 0; i < kMany; ++i) {
    clients.emplace_back(server.address());
    clients.back().send("h");
  }
  server.go_on();
  // All of them, as a rule; if the machine is busy, those that the ACCEPT brings before its cancel.
  EXPECT_EQ(server.await("accept_pauses", 1)["early_accepted"] > 0, multishot());
  for (auto kept = clients.begin(); kept != std::next(clients.begin(), 2); ++kept) {
    EXPECT_EQ(kept->receive(1), "h") << "else the drain finds nothing under way";
  }
  server.signal(SIGTERM);
  EXPECT_TRUE(becomes_refused(server));
  for (auto early = std::next(clients.begin(), 2); early != clients.end(); ++early) {
    EXPECT_EQ(early->receive_to_the_end().bytes, 0U) << "its end, in one way or another";
  }
  const Report report = server.await("in_flight", 2);
  EXPECT_EQ(report["connections"], 2U);
  EXPECT_EQ(server.open_descriptors() + 1, descriptors + (direct() ? 0U : 2U)) << "no listener";
  for (int i = 0; i < 2; ++i, clients.pop_front()) {
    EXPECT_EQ(clients.front().ask("echo"), "echo");
    clients.front().send("c");
    EXPECT_EQ(clients.front().receive_to_the_end().error, 0);
  }
  EXPECT_EQ(server.exit_status(), 0);
  EXPECT_EQ(server.last_words()["accepted"], 2U);
}

TEST_P(ServerDrain, TheReportShowsConnectionsAndCounters) {
  ServerProcess server(GetParam(), quiet_options());
  const Client reading(server.address());
  const Client stopped(server.address());
  EXPECT_EQ(reading.ask("echo"), "echo");
  stopped.send("s");
  const Report report = server.await("reading_stops", 1);
  EXPECT_TRUE(report.text.starts_with("--- report\nconnections 2\nfd  peer ")) << report.text;
  EXPECT_TRUE(report.text.ends_with("--- end of report\n"));
  EXPECT_NE(report.text.find("  reading  1    4 "), std::string::npos) << report.text;
  EXPECT_NE(report.text.find("  stopped  0    1 "), std::string::npos) << report.text;
  for (const char* line : {"\naccepted ", "\nclosed_calls ", "\nturns ", "\nin_flight "}) {
    EXPECT_NE(report.text.find(line), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace server_test
