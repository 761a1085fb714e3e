// The life of connections: accepted in every way, with and without descriptors, drained.

#include <signal.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/m3/forged_case.hpp"

namespace {

using m3_test::Client;
using m3_test::forged_options;
using m3_test::kBufferBytes;
using m3_test::Operation;
using m3_test::some_text;
using network_server::EchoOptions;
using uring::IORING_OP_ACCEPT;
using uring::IORING_OP_POLL_ADD;
using uring::IORING_OP_RECV;
using uring::IORING_OP_SEND;
using uring::IORING_OP_SENDMSG;

class ForgedEchoLife : public m3_test::ForgedCase {
 protected:
  void echo(Client& client, const std::string& text) {
    client.received.clear();
    server_->arrive(client, text);
    server_->serve(client, text.size());
    expect_echoed(client, text);
  }
};

}  // namespace

TEST_F(ForgedEchoLife, OneAcceptBringsAllConnections) {
  if (!forged::kernel_features().has(uring::Feature::MultishotAccept)) {
    GTEST_SKIP() << "this kernel has no multishot accept: Linux 5.19";
  }
  START();
  std::vector<Client> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(server_->connect());
    EXPECT_EQ(server_->count(IORING_OP_ACCEPT), 1U);
  }
  for (Client& client : clients) {
    echo(client, "hello");
  }
}

// KERNEL: so it does where a full CQ was in its way.
TEST_F(ForgedEchoLife, AnAcceptThatEndsWithAConnectionIsArmedAgain) {
  START();
  for (int i = 0; i < 5; ++i) {
    Client client = server_->connect(true);
    EXPECT_EQ(server_->count(IORING_OP_ACCEPT), 1U);
    echo(client, "hello");
  }
}

TEST_F(ForgedEchoLife, WithoutDescriptorsItWaitsForOneAndDoesNotAskAgain) {
  START();
  Client client = server_->connect();
  server_->end(server_->take(IORING_OP_ACCEPT), -EMFILE);
  for (int turns = 0; turns < 20; ++turns) {
    server_->turn();
    EXPECT_EQ(server_->count(IORING_OP_ACCEPT), 0U) << "it would fail at once, for ever";
  }
  echo(client, "hello");
  end_of_stream(client);
  expect_ends(client);
  EXPECT_EQ(server_->count(IORING_OP_ACCEPT), 1U) << "a descriptor has come back";
  expect_serves();
}

TEST_F(ForgedEchoLife, SingleShotAcceptsOneAtATime) {
  EchoOptions options = forged_options();
  options.single_shot = true;
  START(options);
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(server_->find(IORING_OP_ACCEPT).is_multishot());
    Client client = server_->connect();
    EXPECT_EQ(server_->count(IORING_OP_ACCEPT), 1U);
    echo(client, "hello");
  }
}

// No descriptor: every operation names the place in the ring's table.
TEST_F(ForgedEchoLife, DirectDescriptorsAreNamedByTheirPlace) {
  if (!forged::kernel_features().has(uring::Feature::DirectAccept)) {
    GTEST_SKIP() << "this kernel has no direct accept: Linux 5.19";
  }
  EchoOptions options = forged_options();
  options.direct_descriptors = true;
  START(options);
  EXPECT_EQ(server_->find(IORING_OP_ACCEPT).sqe.file_index, uring::IORING_FILE_INDEX_ALLOC);
  for (int i = 0; i < 3; ++i) {
    Client client = server_->connect();
    const auto expect_place = [&](const Operation& operation) {
      EXPECT_NE(operation.sqe.flags & uring::IOSQE_FIXED_FILE, 0) << +operation.sqe.opcode;
      EXPECT_EQ(operation.sqe.fd, client.fd);
    };
    expect_place(server_->find(client, IORING_OP_RECV));
    server_->arrive(client, "hello");
    expect_place(server_->find(client, IORING_OP_SEND));
    end(client, IORING_OP_SEND, -EAGAIN);
    expect_place(server_->find(client, IORING_OP_POLL_ADD));
    server_->arrive(client, "more");
    socket_takes_more(client);
    expect_place(server_->find(client, IORING_OP_SENDMSG));
    server_->send(client);
    expect_echoed(client, "hellomore");
    end_of_stream(client);
    expect_ends(client);
  }
  expect_all_buffers_back();
}

// --- the drain -----------------------------------------------------------------------------------------

TEST_F(ForgedEchoLife, ADrainSendsWhatWasReceivedFirst) {
  START();
  Client busy = talker("hello");
  server_->arrive(busy, " again");
  const Client idle = server_->connect();
  server_->signal(SIGTERM);
  server_->turn();
  EXPECT_FALSE(server_->has_closed(busy));
  server_->send(busy);
  server_->send(busy);
  EXPECT_EQ(busy.received, "hello again");
  for (const Client& client : {busy, idle}) {
    while (server_->runs() && receives(client) > 0) {
      end_of_stream(client);
    }
    server_->turn();
    EXPECT_TRUE(server_->has_closed(client));
  }
  server_->turn();
  EXPECT_FALSE(server_->runs());
}

// No ACCEPT is armed then, and none must be when the connections close.
TEST_F(ForgedEchoLife, ADrainOfAFullServer) {
  EchoOptions options = forged_options();
  options.server.max_connections = 2;
  START(options);
  const Client first = server_->connect();
  const Client second = server_->connect();
  server_->turn();
  EXPECT_EQ(server_->count(IORING_OP_ACCEPT), 0U);
  server_->signal(SIGTERM);
  for (const Client& client : {first, second}) {
    while (server_->runs() && receives(client) > 0) {
      end_of_stream(client);
    }
    server_->turn();
  }
  server_->turn();
  EXPECT_FALSE(server_->runs());
}

TEST_F(ForgedEchoLife, ASecondSignalEndsAtOnce) {
  START();
  const Client client = talker("hello");
  end(client, IORING_OP_SEND, -EAGAIN);
  server_->signal(SIGTERM);
  server_->turn();
  EXPECT_FALSE(server_->has_closed(client));
  server_->signal(SIGTERM);
  for (int turns = 0; turns < 5; ++turns) {
    server_->turn();
  }
  EXPECT_TRUE(server_->has_closed(client));
  EXPECT_FALSE(server_->runs());
}

// --- completions in any order --------------------------------------------------------------------------

// In one turn: bytes arrive, a send ends, the stream ends. Whichever comes first.
TEST_F(ForgedEchoLife, WhatEndsInOneTurnMayDoSoInAnyOrder) {
  START();
  for (const int send_at : {0, 1, 2, 3}) {
    SCOPED_TRACE(send_at);
    Client client = talker("one");
    const Operation send = server_->take(client, IORING_OP_SEND);
    for (int at = 0; at <= 3; ++at) {
      if (at == send_at) {
        server_->end_send(client, send);
      }
      if (at < 2) {
        ASSERT_EQ(server_->deliver(client, some_text(7, static_cast<unsigned>(at))), 7U);
      } else if (at == 2) {
        server_->end(server_->take(client, IORING_OP_RECV), 0);
      }
    }
    server_->turn();
    EXPECT_EQ(sends(client), 1U);
    server_->serve(client, 17);
    EXPECT_EQ(client.received, "one" + some_text(7, 0) + some_text(7, 1));
    expect_ends(client);
    expect_all_buffers_back();
  }
}
