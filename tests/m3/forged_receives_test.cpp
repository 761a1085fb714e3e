// Receives that end in every way, in all their forms; buffers that run out.

#include <poll.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/m3/forged_case.hpp"

namespace {

using m3_test::Client;
using m3_test::forged_options;
using m3_test::kBufferBytes;
using m3_test::Operation;
using m3_test::some_text;
using network_server::EchoOptions;
using uring::IORING_OP_RECV;
using uring::IORING_OP_SEND;

class ForgedEchoReceives : public m3_test::ForgedCase {
 protected:
  // Has all of the buffers held, by clients whose sends are in flight.
  [[nodiscard]] std::vector<Client> exhaust() {
    std::vector<Client> holders;
    while (server_->buffers_with_kernel() > 0) {
      holders.push_back(talker("x"));
    }
    return holders;
  }
};

}  // namespace

TEST_F(ForgedEchoReceives, OneRequestBringsAllMessages) {
  START();
  Client client = server_->connect();
  std::string text;
  for (unsigned i = 0; i < 50; ++i) {
    server_->arrive(client, some_text(9, i));
    text += some_text(9, i);
    server_->serve(client, text.size());
  }
  expect_echoed(client, text);
  EXPECT_EQ(server_->counter("receives"), 1U);
  EXPECT_EQ(server_->counter("received_buffers"), 50U);
  expect_all_buffers_back();
}

TEST_F(ForgedEchoReceives, ALongMessageFillsSeveralBuffers) {
  START();
  Client client = server_->connect();
  const std::string text = some_text(5 * kBufferBytes + 7);
  server_->arrive(client, text);
  server_->serve(client, text.size());
  expect_echoed(client, text);
  expect_all_buffers_back();
}

// KERNEL: so it ends where a full CQ was in its way, for one.
TEST_F(ForgedEchoReceives, AMultishotThatEndsWithBytesIsArmedAgainAndTheyCount) {
  START();
  Client client = server_->connect();
  std::string text;
  for (unsigned i = 0; i < 4; ++i) {
    ASSERT_EQ(server_->deliver(client, some_text(9, i), true), 9U);
    EXPECT_EQ(receives(client), 0U);
    server_->turn();
    text += some_text(9, i);
    EXPECT_EQ(receives(client), 1U);
  }
  server_->serve(client, text.size());
  expect_echoed(client, text);
  EXPECT_EQ(server_->counter("receives"), 5U);
  EXPECT_EQ(server_->counter("receives_ended"), 4U);
  expect_all_buffers_back();
}

TEST_F(ForgedEchoReceives, ErrorsThatPassAreAskedAgain) {
  START();
  Client client = server_->connect();
  for (const int error : {EINTR, EAGAIN, ECANCELED}) {
    end(client, IORING_OP_RECV, -error);
    EXPECT_EQ(receives(client), 1U) << error;
  }
  server_->arrive(client, "hello");
  server_->serve(client, 5);
  expect_echoed(client, "hello");
}

TEST_F(ForgedEchoReceives, EveryOtherErrorEndsThisConnectionAlone) {
  START();
  for (const int error : {ECONNRESET, ETIMEDOUT, ENOMEM, ENOTCONN, EHOSTUNREACH, EPROTO}) {
    const Client client = server_->connect();
    end(client, IORING_OP_RECV, -error);
    server_->turn();
    EXPECT_TRUE(server_->has_closed(client)) << error;
  }
  expect_serves();
  expect_all_buffers_back();
}

// KERNEL: only F_BUFFER says that a buffer came. The number 0 in the flags is that of a buffer, too.
TEST_F(ForgedEchoReceives, AnEndWithoutABufferGivesNoneBack) {
  START();
  Client holder = server_->connect();
  ASSERT_EQ(server_->deliver(holder, "mine"), 4U);
  server_->turn();
  const Operation send = server_->take(holder, IORING_OP_SEND);
  for (const int res : {0, -ECONNRESET, -ENOBUFS}) {
    const Client client = server_->connect();
    end(client, IORING_OP_RECV, res);
    server_->turn();
    EXPECT_EQ(server_->buffers_with_kernel(), buffers_ - 1) << res;
  }
  EXPECT_EQ(send.text(), "mine");
  server_->end(send, 4);
  server_->turn();
  expect_all_buffers_back();
}

// KERNEL(6.1): a RECV that chooses its buffers can take one along for no bytes.
TEST_F(ForgedEchoReceives, AnEndWithABufferGivesItBack) {
  START();
  for (const int res : {0, -EAGAIN, -ECONNRESET}) {
    const Client client = server_->connect();
    const Operation receive = server_->take(client, IORING_OP_RECV);
    const auto buffer = server_->provided().choose(receive.sqe.buf_group);
    ASSERT_TRUE(buffer.has_value());
    server_->end(
        receive, res,
        uring::IORING_CQE_F_BUFFER | std::uint32_t{buffer->id} << uring::IORING_CQE_BUFFER_SHIFT);
    server_->turn();
    expect_all_buffers_back();
  }
  expect_serves();
}

// They were on their way when it was closed: nobody is to get them, and the buffer goes back.
TEST_F(ForgedEchoReceives, BytesThatComeAfterTheCloseAreThrownAway) {
  START();
  const Client client = talker("hello");
  server_->hold(uring::IORING_OP_ASYNC_CANCEL);
  server_->hold(uring::IORING_OP_CLOSE);
  end(client, IORING_OP_SEND, -EPIPE);
  ASSERT_EQ(server_->deliver(client, "late"), 4U);
  ASSERT_EQ(server_->deliver(client, "later", true), 5U);
  server_->turn();
  EXPECT_EQ(sends(client) + receives(client), 0U);
  EXPECT_EQ(server_->buffers_with_kernel(), buffers_ - 1) << "all but that of the failed send";
  server_->end(server_->take(client, uring::IORING_OP_ASYNC_CANCEL), -ENOENT);
  server_->perform(server_->take(client, uring::IORING_OP_CLOSE));
  server_->turn();
  EXPECT_TRUE(server_->has_closed(client));
  expect_all_buffers_back();
}

TEST_F(ForgedEchoReceives, TheFormsWithoutMultishotAskForEachMessage) {
  for (const bool by_option : {true, false}) {
    EchoOptions options = forged_options();
    options.single_shot = by_option;
    START(options, by_option ? "" : "multishot_recv");
    Client client = server_->connect();
    std::string text;
    for (unsigned i = 0; i < 5; ++i) {
      EXPECT_FALSE(server_->find(client, IORING_OP_RECV).is_multishot());
      server_->arrive(client, some_text(kBufferBytes + 5, i));
      text += some_text(kBufferBytes + 5, i);
      server_->serve(client, text.size());
    }
    expect_echoed(client, text);
    EXPECT_EQ(server_->counter("receives"), 11U);
    end_of_stream(client);
    expect_all_buffers_back();
    server_.reset();
  }
}

TEST_F(ForgedEchoReceives, WithoutBufferRingsBuffersComeAndGoByRequests) {
  for (const char* masked : {"buffer_ring", "buffer_ring,multishot_recv,multishot_recv_limit"}) {
    START(forged_options(), masked);
    expect_all_buffers_back();
    for (unsigned i = 0; i < 6; ++i) {
      Client client = server_->connect();
      const std::string text = some_text(20 * kBufferBytes + 5, i);
      server_->echo(client, text);
      EXPECT_TRUE(client.received == text);
      if (const auto poll = server_->poll_of(client, POLLIN)) {
        server_->end_poll(*poll);
      }
      end_of_stream(client);
      expect_ends(client);
      expect_all_buffers_back();
    }
    server_.reset();
  }
}

// A count has gone wrong somewhere. What the completion carries goes back, and it shows.
TEST_F(ForgedEchoReceives, ACompletionOfAnEarlierLifeGivesItsBufferBackAndIsCounted) {
#if !defined(NDEBUG)
  GTEST_SKIP() << "a debug build ends the program instead";
#endif
  START();
  Client client = server_->connect();
  Operation old = server_->find(client, IORING_OP_RECV);
  loop::OpId id = old.id();
  --id.generation;
  old.sqe.user_data = loop::pack(id);
  const auto buffer = server_->provided().choose(old.sqe.buf_group);
  ASSERT_TRUE(buffer.has_value());
  server_->end(
      old, 3,
      uring::IORING_CQE_F_BUFFER | std::uint32_t{buffer->id} << uring::IORING_CQE_BUFFER_SHIFT);
  server_->turn();
  EXPECT_EQ(server_->inside().loop().counters().stale, 1U);
  EXPECT_EQ(sends(client), 0U);
  expect_all_buffers_back();
  server_->arrive(client, "hello");
  server_->serve(client, 5);
  expect_echoed(client, "hello");
}

// --- no buffers ----------------------------------------------------------------------------------------

TEST_F(ForgedEchoReceives, WhoFindsNoBufferWaitsForOneAndAsksOnlyThen) {
  START();
  std::vector<Client> holders = exhaust();
  Client client = server_->connect();
  if (receives(client) > 0) {
    EXPECT_EQ(server_->deliver(client, "hello"), 0U);
    server_->turn();
  }
  const std::uint64_t receives_before = server_->counter("receives");
  EXPECT_EQ(server_->counter("buffer_waits"), 1U);
  for (int turns = 0; turns < 20; ++turns) {
    server_->turn();
    EXPECT_EQ(receives(client), 0U) << "it would fail at once, for ever";
  }
  EXPECT_EQ(server_->counter("receives"), receives_before);
  server_->send(holders.front());
  EXPECT_EQ(receives(client), 1U);
  server_->arrive(client, "hello");
  server_->serve(client, 5);
  expect_echoed(client, "hello");
}

TEST_F(ForgedEchoReceives, BytesThatCameBeforeTheBuffersRanOutAreEchoedAllTheSame) {
  EchoOptions options = forged_options();
  options.buffers = 8;
  START(options);
  Client client = server_->connect();
  const std::string text = some_text(20 * kBufferBytes);
  server_->echo(client, text);
  expect_echoed(client, text);
  expect_all_buffers_back();
}

// As many are armed as there are buffers for, those first who have waited longest.
TEST_F(ForgedEchoReceives, WaitersAreServedInTheirOrder) {
  START();
  std::vector<Client> waiters;
  for (int i = 0; i < 4; ++i) {
    waiters.push_back(server_->connect());
  }
  std::vector<Client> holders = exhaust();
  for (const Client& waiter : waiters) {
    EXPECT_EQ(server_->deliver(waiter, "hello"), 0U);
  }
  server_->turn();
  EXPECT_EQ(server_->counter("buffer_waits"), 4U);
  for (std::size_t i = 0; i < waiters.size(); ++i) {
    server_->send(holders[i]);
    for (std::size_t other = 0; other < waiters.size(); ++other) {
      EXPECT_EQ(receives(waiters[other]), other == i ? 1U : 0U) << i << " " << other;
    }
    ASSERT_EQ(server_->deliver(waiters[i], "hello"), 5U);
    server_->turn();
    // It has the buffer now, and its send is in flight. That is one fewer RECV to compete.
    if (receives(waiters[i]) > 0) {
      end(waiters[i], IORING_OP_RECV, 0);
    }
  }
}

TEST_F(ForgedEchoReceives, SeveralBuffersThatComeBackTogetherWakeAsMany) {
  START();
  std::vector<Client> waiters;
  for (int i = 0; i < 4; ++i) {
    waiters.push_back(server_->connect());
  }
  std::vector<Client> holders = exhaust();
  for (const Client& waiter : waiters) {
    EXPECT_EQ(server_->deliver(waiter, "hello"), 0U);
  }
  server_->turn();
  for (int i = 0; i < 3; ++i) {
    Client& holder = holders[static_cast<std::size_t>(i)];
    server_->end_send(holder, server_->take(holder, IORING_OP_SEND));
  }
  server_->turn();
  EXPECT_EQ(receives(waiters[0]) + receives(waiters[1]) + receives(waiters[2]), 3U);
  EXPECT_EQ(receives(waiters[3]), 0U);
}

// KERNEL: with no buffers the end of the stream is reported as ENOBUFS.
TEST_F(ForgedEchoReceives, WhoWaitsForABufferStillSeesTheEndOfTheStream) {
  START();
  const Client client = server_->connect();
  std::vector<Client> holders = exhaust();
  end(client, IORING_OP_RECV, -ENOBUFS);
  server_->send(holders.front());
  ASSERT_EQ(receives(client), 1U);
  end_of_stream(client);
  expect_ends(client);
}

TEST_F(ForgedEchoReceives, WhoIsGoneDoesNotWaitForABuffer) {
  START();
  const Client gone = talker("x");
  const Client client = server_->connect();
  std::vector<Client> holders = exhaust();
  for (const Client& waiter : {gone, client}) {
    EXPECT_EQ(server_->deliver(waiter, "hello"), 0U);
    server_->turn();
  }
  end(gone, IORING_OP_SEND, -ECONNRESET);
  server_->turn();
  EXPECT_TRUE(server_->has_closed(gone));
  EXPECT_EQ(receives(client), 1U) << "the buffer of the one that is gone is for the next";
  ASSERT_EQ(server_->deliver(client, "hello"), 5U);
}

// The buffers went to others between the wake-up and the next look.
TEST_F(ForgedEchoReceives, WhoIsWokenInVainWaitsAgain) {
  START();
  Client client = server_->connect();
  std::vector<Client> holders = exhaust();
  for (int i = 0; i < 5; ++i) {
    end(client, IORING_OP_RECV, -ENOBUFS);
    EXPECT_EQ(receives(client), 0U);
    Client& holder = holders[static_cast<std::size_t>(i)];
    server_->send(holder);
    EXPECT_EQ(receives(client), 1U);
    ASSERT_EQ(server_->deliver(holder, "again"), 5U);
    server_->turn();
  }
  EXPECT_EQ(server_->counter("buffer_waits"), 5U);
}

// In one turn: the receive fails for want of a buffer, and the buffer comes back behind it.
TEST_F(ForgedEchoReceives, ABufferThatComesBackInTheSameTurnIsNotMissed) {
  START();
  for (const bool first : {true, false}) {
    Client client = server_->connect();
    std::vector<Client> holders = exhaust();
    const Operation receive = server_->take(client, IORING_OP_RECV);
    const Operation send = server_->take(holders.front(), IORING_OP_SEND);
    if (first) {
      server_->end(receive, -ENOBUFS);
    }
    server_->end_send(holders.front(), send);
    if (!first) {
      server_->end(receive, -ENOBUFS);
    }
    server_->turn();
    EXPECT_EQ(receives(client), 1U);
    for (Client& holder : holders) {
      if (sends(holder) > 0) {
        server_->send(holder);
      }
    }
  }
}

TEST_F(ForgedEchoReceives, FewBuffersLeftAreMoreInTheSameTurn) {
  EchoOptions options = forged_options();
  options.buffers = 16;
  START(options);
  std::vector<Client> holders = exhaust();
  EXPECT_EQ(server_->counter("urgent_replenishes"), 0U);
  for (Client& holder : holders) {
    server_->end_send(holder, server_->take(holder, IORING_OP_SEND));
  }
  server_->turn();
  EXPECT_GT(server_->counter("urgent_replenishes"), 0U);
  expect_all_buffers_back();
}
