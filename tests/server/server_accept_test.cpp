// Accepting: what comes back when connections go, and the states in which nothing is accepted.

#include <unistd.h>

#include <cstdint>
#include <iterator>
#include <list>
#include <string>

#include <gtest/gtest.h>

#include "tests/server/client.hpp"
#include "tests/server/server_process.hpp"

namespace server_test {
namespace {

class ServerAccept : public ServerTest {};
FOR_ALL_SERVER_KINDS(ServerAccept);

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

// So many that it learns of them at once.
std::list<Client> connect_at_once(ServerProcess& server, unsigned count) {
  std::list<Client> clients;
  server.stop();
  for (unsigned i = 0; i < count; ++i) {
    clients.emplace_back(server.address());
    clients.back().send("e");
  }
  server.go_on();
  return clients;
}

TEST_P(ServerAccept, OneMultishotIsEnoughForMany) {
  ServerProcess server(GetParam(), quiet_options());
  std::list<Client> clients = connect_at_once(server, 50);
  for (int i = 0; i < 50; ++i) {
    clients.emplace_back(server.address());
    EXPECT_EQ(clients.back().ask("e"), "e");
  }
  const Report report = server.await("accepted", 100);
  EXPECT_EQ(report["accepts"], multishot() ? 1U : 101U);
  EXPECT_EQ(report["early_accepted"], 0U);
}

// A CQ that is full ends a multishot: with a connection, whose completion waits in the kernel.
TEST_P(ServerAccept, ACompletionQueueThatIsFullIsNoEndOfAccepting) {
  constexpr std::uint32_t kSmallest = 64;
  constexpr unsigned kMany = 5 * kSmallest;
  ServerProcess server(GetParam(), quiet_options(), {}, kSmallest);
  const std::list<Client> clients = connect_at_once(server, kMany);
  for (const Client& client : clients) {
    ASSERT_EQ(client.receive(1), "e");
  }
  const Report report = server.await("accepted", kMany);
  EXPECT_EQ(report["accept_pauses"], 0U);
  if (multishot()) {
    EXPECT_GT(report["accepts"], 1U) << "it has ended, and was armed again";
    EXPECT_LE(report["accepts"], kMany / 4);
  }
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
  EXPECT_EQ(server.await("connections", 2)["accepted"], 3U);
}

TEST_P(ServerAccept, WhoComesEarlyIsServedInOrderAsOthersLeave) {
  support::ServerOptions options = quiet_options();
  options.max_connections = 3;
  ServerProcess server(GetParam(), options);
  const std::size_t descriptors = server.open_descriptors();
  std::list<Client> clients = connect_at_once(server, 10);
  const Report full = server.await("accept_pauses", 1);
  EXPECT_EQ(full["connections"], 3U);
  EXPECT_EQ(full["early_accepted"], multishot() ? 7U : 0U);
  expect_no_spin(server);
  clients.emplace_back(server.address());  // it came last: into the backlog
  clients.back().send("e");
  auto next = std::next(clients.begin(), 3);
  for (Client& client : clients) {
    EXPECT_EQ(client.receive(1), "e");
    if (next != clients.end()) {
      EXPECT_FALSE(next->hears_within(0)) << "three others have the places";
      client.close();
      EXPECT_TRUE(next->hears_within(10'000)) << "it is the next one's turn";
      ++next;
    }
  }
  clients.clear();
  const Report report = server.await("connections", 0);
  EXPECT_EQ(report["accepted"], 11U);
  EXPECT_EQ(report["slots_in_use"], 1U);
  EXPECT_EQ(report["in_flight"], 1U) << "the ACCEPT";
  EXPECT_EQ(server.open_descriptors(), descriptors);
  const Client another(server.address());
  EXPECT_EQ(another.ask("e"), "e");
}

TEST_P(ServerAccept, WhoComesEarlyAndLeavesCostsNothing) {
  support::ServerOptions options = quiet_options();
  options.max_connections = 1;
  ServerProcess server(GetParam(), options);
  const std::size_t descriptors = server.open_descriptors();
  for (int round = 0; round < 3; ++round) {
    std::list<Client> clients = connect_at_once(server, 30);
    for (Client& client : clients) {
      client.reset();
    }
    server.await("connections", 0);
    const Client next(server.address());
    EXPECT_EQ(next.ask("e"), "e");
  }
  const Report report = server.await("connections", 0);
  EXPECT_EQ(report["accepted"], report["closed"]);
  EXPECT_EQ(report["in_flight"], 1U);
  EXPECT_EQ(server.open_descriptors(), descriptors);
}

// Without descriptors there is something to run out of.
class ServerDescriptors : public ServerTest {};
INSTANTIATE_TEST_SUITE_P(Descriptors, ServerDescriptors, testing::ValuesIn(kWithDescriptors),
                         name_of);

TEST_P(ServerDescriptors, WithNoneLeftItWaitsForOneToClose) {
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

TEST_P(ServerDescriptors, WithNoneLeftItAlsoTriesAgainByItself) {
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

class ServerPlaces : public ServerTest {};
INSTANTIATE_TEST_SUITE_P(Places, ServerPlaces, testing::ValuesIn(kWithoutDescriptors), name_of);

TEST_P(ServerPlaces, NoConnectionHasADescriptor) {
  ServerProcess server(GetParam(), quiet_options());
  const std::size_t descriptors = server.open_descriptors();
  std::list<Client> clients = connect_at_once(server, 50);
  for (const Client& client : clients) {
    EXPECT_EQ(client.receive(1), "e");
  }
  const Report report = server.await("connections", 50);
  EXPECT_EQ(server.open_descriptors(), descriptors);
  EXPECT_NE(report.text.find("\n49  -     reading  1 "), std::string::npos) << report.text;
}

TEST_P(ServerPlaces, APlaceIsFreeAgainWhenItsConnectionIsClosed) {
  support::ServerOptions options = quiet_options();
  options.max_connections = 2;
  ServerProcess server(GetParam(), options);
  // More than the table has places, whatever comes early.
  for (int i = 0; i < 300; ++i) {
    const Client client(server.address());
    ASSERT_EQ(client.ask("e"), "e") << i;
  }
  const Report report = server.await("connections", 0);
  EXPECT_EQ(report["accepted"], 300U);
  EXPECT_EQ(report["accept_errors"], 0U);
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
