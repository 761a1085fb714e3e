// Accepting: what comes back when connections go, and the states in which nothing is accepted.

#include <unistd.h>

#include <cstdint>
#include <list>
#include <string>

#include <gtest/gtest.h>

#include "tests/server/client.hpp"
#include "tests/server/server_process.hpp"

namespace server_test {
namespace {

class ServerAccept : public ServerTest {};
INSTANTIATE_TEST_SUITE_P(Rings, ServerAccept, all_ring_kinds(), name_of);

TEST_P(ServerAccept, EverythingComesBack) {
  ServerProcess server(GetParam(), quiet_options());
  const std::size_t descriptors = server.open_descriptors();
  constexpr std::uint64_t kRounds = 3;
  constexpr std::uint64_t kClients = 300;  // more than a chunk of connections
  for (std::uint64_t round = 1; round <= kRounds; ++round) {
    std::list<Client> clients;
    for (std::uint64_t i = 0; i < kClients; ++i) {
      clients.emplace_back(server.address());
    }
    for (const Client& client : clients) {
      ASSERT_EQ(client.ask("echo"), "echo");
    }
    EXPECT_EQ(server.await("connections", kClients)["accepted"], round * kClients);
    clients.clear();
    server.await("connections", 0);
  }
  const Report report = server.report();
  EXPECT_EQ(report["closed"], kRounds * kClients);
  EXPECT_EQ(report["closed_calls"], kRounds * kClients);
  EXPECT_EQ(report["closed_reset"], 0U);
  EXPECT_EQ(report["received_bytes"], kRounds * kClients * 4);
  EXPECT_EQ(report["sent_bytes"], kRounds * kClients * 4);
  EXPECT_EQ(report["slots_in_use"], 1U) << "the listener's";
  EXPECT_EQ(report["in_flight"], 1U) << "the ACCEPT";
  EXPECT_EQ(report["stale"], 0U);
  EXPECT_EQ(server.open_descriptors(), descriptors);
}

// A server that spins makes thousands of turns in this time; asking takes a few.
void expect_no_spin(ServerProcess& server) {
  constexpr std::uint64_t kTurnsOfAsking = 8;
  const std::uint64_t before = server.report()["turns"];
  ::usleep(700'000);
  EXPECT_LE(server.report()["turns"] - before, kTurnsOfAsking);
}

TEST_P(ServerAccept, PausesAtTheLimitAndGoesOnWhenOneCloses) {
  support::ServerOptions options = quiet_options();
  options.max_connections = 2;
  ServerProcess server(GetParam(), options);
  Client first(server.address());
  const Client second(server.address());
  const Client waiting(server.address());
  EXPECT_EQ(first.ask("1"), "1");
  EXPECT_EQ(second.ask("2"), "2");
  waiting.send("3");
  EXPECT_EQ(server.report()["accept_pauses"], 1U);
  expect_no_spin(server);
  EXPECT_EQ(server.report()["accepted"], 2U);
  first.close();
  EXPECT_EQ(waiting.receive(1), "3");
  EXPECT_EQ(server.await("connections", 2)["accept_pauses"], 2U);
}

TEST_P(ServerAccept, WithoutDescriptorsItWaitsForOneToClose) {
  constexpr unsigned kSpareFds = 40;
  ServerProcess server(GetParam(), quiet_options(), kSpareFds);
  Client first(server.address());
  const Client second(server.address());
  EXPECT_EQ(second.ask("2"), "2");
  EXPECT_EQ(first.ask("O"), "O");
  const Client waiting(server.address());
  waiting.send("3");
  server.await_at_least("accept_pauses", 1);
  expect_no_spin(server);
  EXPECT_FALSE(waiting.hears_within(0));
  first.close();
  EXPECT_EQ(waiting.receive(1), "3");
  EXPECT_EQ(server.report()["accept_errors"], 0U);
}

TEST_P(ServerAccept, WithoutDescriptorsItAlsoTriesAgainByItself) {
  constexpr unsigned kSpareFds = 40;
  ServerProcess server(GetParam(), quiet_options(), kSpareFds);
  const Client first(server.address());
  EXPECT_EQ(first.ask("O"), "O");
  const Client waiting(server.address());
  waiting.send("3");
  server.await_at_least("accept_pauses", 2);
  EXPECT_EQ(first.ask("o"), "o") << "descriptors are free again, but no connection has closed";
  EXPECT_EQ(waiting.receive(1), "3");
}

TEST_P(ServerAccept, WarnsAndTakesFewerThanAskedForWhereTheLimitIsLow) {
  constexpr unsigned kSpareFds = 40;
  ServerProcess server(GetParam(), quiet_options(), kSpareFds);
  std::list<Client> clients;
  for (unsigned i = 0; i < kSpareFds; ++i) {
    clients.emplace_back(server.address());
    clients.back().send("e");
  }
  const Report report = server.await("accept_pauses", 1);
  EXPECT_LT(report["connections"], std::uint64_t{kSpareFds});
  EXPECT_EQ(report["accept_errors"], 0U);
  expect_no_spin(server);
}

TEST(ServerStart, SaysWhyItCannot) {
  if (!features_of(kAllThereIs)) {
    GTEST_SKIP() << "io_uring is denied here: `m1_sq_cq features` says by whom";
  }
  ServerProcess first(kAllThereIs, quiet_options());
  support::ServerOptions options = quiet_options();
  options.port = first.address().port();
  ServerProcess second(kAllThereIs, options);
  EXPECT_EQ(second.exit_status(), 2);
  EXPECT_FALSE(second.first_line().starts_with("listening"));
  options.bind = "nowhere";
  ServerProcess third(kAllThereIs, options);
  EXPECT_EQ(third.exit_status(), 2);
}

}  // namespace
}  // namespace server_test
