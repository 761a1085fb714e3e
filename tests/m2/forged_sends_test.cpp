// Sends that end in every way, clients that do not read, and the buffers that are taken from them.

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>

#include "common/support/cpu_clock.hpp"
#include "tests/m2/forged_case.hpp"

namespace {

using file_server::BufferState;
using file_server::ServeOptions;
using m2_test::Client;
using m2_test::forged_options;
using m2_test::Operation;
using m2_test::some_bytes;
using m2_test::split;
using uring::IORING_OP_POLL_ADD;
using uring::IORING_OP_READ;
using uring::IORING_OP_RECV;
using uring::IORING_OP_SEND;

constexpr std::size_t kPiece = 4096;
constexpr std::uint64_t kPatienceNs = 5'000'000'000;

class ForgedSends : public m2_test::ForgedCase {
 protected:
  // A connection with a SEND in flight.
  [[nodiscard]] Client ask_and_read(std::string_view path) {
    Client client = ask(path);
    read(client);
    return client;
  }
  void socket_takes_more(const Client& client) { end(client, IORING_OP_POLL_ADD, POLLOUT); }
};

}  // namespace

TEST_F(ForgedSends, NoSendWaits) {
  site_.write("file", some_bytes(2 * kPiece));
  START();
  Client client = ask_and_read("/file");
  for (const std::uint32_t more : {std::uint32_t{MSG_MORE}, 0U}) {
    const Operation send = server_->take(client, IORING_OP_SEND);
    EXPECT_NE(send.sqe.msg_flags & MSG_DONTWAIT, 0U);
    EXPECT_EQ(send.sqe.msg_flags & MSG_MORE, more) << "only the last piece ends a packet";
    server_->end(send, static_cast<std::int32_t>(send.sqe.len));
    server_->turn();
    if (count(client, IORING_OP_READ) > 0) {
      read(client);
    }
  }
  expect_waits_for_a_request(client);
}

TEST_F(ForgedSends, AShortSendWaitsForTheSocketAndGoesOnBehindIt) {
  const std::string content = some_bytes(60);
  site_.write("file", content);
  START();
  Client client = ask_and_read("/file");
  server_->send(client);
  const std::size_t whole = client.received.size();
  for (std::size_t cut = 1; cut < whole; ++cut) {
    ask_again(client, "/file");
    read(client);
    server_->send(client, cut);
    EXPECT_EQ(count(client, IORING_OP_SEND), 0U);
    EXPECT_EQ(server_->buffers().count(BufferState::Sending), 0U) << "none is lent meanwhile";
    socket_takes_more(client);
    server_->send(client);
    ASSERT_EQ(client.received.size(), whole);
    expect_file(client, content);
  }
}

TEST_F(ForgedSends, AByteAtATime) {
  const std::string content = some_bytes(60);
  site_.write("file", content);
  START();
  Client client = ask_and_read("/file");
  while (count(client, IORING_OP_SEND) > 0) {
    server_->send(client, 1);
    if (count(client, IORING_OP_POLL_ADD) > 0) {
      socket_takes_more(client);
    }
  }
  expect_file(client, content);
  expect_all_buffers_free();
}

TEST_F(ForgedSends, AFullSocketIsWaitedFor) {
  const std::string content = some_bytes(60);
  site_.write("file", content);
  START();
  Client client = ask_and_read("/file");
  end(client, IORING_OP_SEND, -EAGAIN);
  EXPECT_EQ(count(client, IORING_OP_SEND), 0U);
  socket_takes_more(client);
  end(client, IORING_OP_SEND, -EINTR);
  EXPECT_EQ(count(client, IORING_OP_POLL_ADD), 0U) << "that one is only asked for again";
  server_->send(client);
  expect_file(client, content);
}

// The client has shut down its side and reads nothing: such a poll would complete at once, for ever.
TEST_F(ForgedSends, APollThatSaysOnlyThatTheClientSendsNoMoreIsNotAskedAgainAtOnce) {
  const std::string content = some_bytes(60);
  site_.write("file", content);
  START();
  Client client = ask_and_read("/file");
  std::uint64_t waited_ns = 0;
  for (int i = 0; i < 8; ++i) {
    end(client, IORING_OP_SEND, -EAGAIN);
    end(client, IORING_OP_POLL_ADD, POLLRDHUP);
    EXPECT_EQ(count(client, IORING_OP_SEND) + count(client, IORING_OP_POLL_ADD), 0U);
    const std::uint64_t begin_ns = support::now_ns();
    while (count(client, IORING_OP_SEND) == 0 && waited_ns < kPatienceNs) {
      ::usleep(500);
      server_->turn();
      waited_ns = support::now_ns() - begin_ns;
    }
  }
  EXPECT_GT(waited_ns, 50'000'000U) << "it waits longer each time";
  server_->send(client);
  expect_file(client, content);
}

TEST_F(ForgedSends, EveryOtherErrorEndsThisConnectionAlone) {
  const std::string content = some_bytes(60);
  site_.write("file", content);
  START();
  Client sound = server_->connect();
  for (const int error : {ECONNRESET, EPIPE, ETIMEDOUT, ENOMEM, ENOBUFS, EHOSTUNREACH, EPROTO}) {
    Client client = ask_and_read("/file");
    end(client, IORING_OP_SEND, -error);
    server_->turn();
    EXPECT_TRUE(server_->has_closed(client)) << error;
    expect_all_buffers_free();
  }
  ask_again(sound, "/file");
  read(sound);
  server_->send(sound);
  expect_file(sound, content);
}

TEST_F(ForgedSends, AnErrorOfTheWaitEndsTheConnection) {
  site_.write("file", some_bytes(60));
  START();
  Client client = ask_and_read("/file");
  end(client, IORING_OP_SEND, -EAGAIN);
  end(client, IORING_OP_POLL_ADD, -ENOMEM);
  server_->turn();
  EXPECT_TRUE(server_->has_closed(client));
  expect_all_buffers_free();
}

TEST_F(ForgedSends, AnAnswerWithoutAFileGoesOnToo) {
  START();
  Client client = server_->connect();
  server_->get(client, "/missing");
  server_->open(client);
  while (count(client, IORING_OP_SEND) > 0) {
    server_->send(client, 7);
    if (count(client, IORING_OP_POLL_ADD) > 0) {
      socket_takes_more(client);
    }
  }
  EXPECT_EQ(split(client.received).status(), "404");
  expect_waits_for_a_request(client);
}

TEST_F(ForgedSends, WhatIsAskedForMeanwhileIsAnsweredNext) {
  site_.write("a", "first");
  site_.write("b", "second");
  START();
  Client client = server_->connect();
  server_->receive(client,
                   "GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\nGET");
  server_->open(client);
  read(client);
  server_->send(client);
  EXPECT_EQ(split(client.received).body, "first");
  client.received.clear();
  server_->open(client);
  read(client);
  server_->send(client);
  expect_file(client, "second");
}

// --- receiving ----------------------------------------------------------------------------------------

TEST_F(ForgedSends, ReceivesThatEndWithAnErrorThatPassesAreArmedAgain) {
  site_.write("file", "x");
  START();
  Client client = server_->connect();
  end(client, IORING_OP_RECV, -EINTR);
  end(client, IORING_OP_RECV, -EAGAIN);
  ask_again(client, "/file");
  read(client);
  server_->send(client);
  expect_file(client, "x");
}

TEST_F(ForgedSends, AReceiveThatEndsOtherwiseEndsTheConnection) {
  START();
  for (const int error : {0, ECONNRESET, ETIMEDOUT, ENOMEM, EPROTO}) {
    const Client client = server_->connect();
    end(client, IORING_OP_RECV, -error);
    server_->turn();
    EXPECT_TRUE(server_->has_closed(client)) << error;
  }
}

// --- buffers are taken back ------------------------------------------------------------------------------

// One buffer for all. It is with a client that does not read, and is read again for it later.
TEST_F(ForgedSends, WhoDoesNotReadKeepsNobodyWaitingWhereverItStopped) {
  const std::string content = some_bytes(60);
  site_.write("file", content);
  site_.write("other", "served");
  ServeOptions options = forged_options();
  options.buffers = 1;
  START(options);
  Client slow = ask_and_read("/file");
  server_->send(slow);
  const std::size_t whole = slow.received.size();
  Client quick = server_->connect();
  for (std::size_t sent = 0; sent < whole; ++sent) {
    SCOPED_TRACE(sent);
    ask_again(slow, "/file");
    read(slow);
    if (sent == 0) {
      end(slow, IORING_OP_SEND, -EAGAIN);
    } else {
      server_->send(slow, sent);
    }
    ask_again(quick, "/other");
    read(quick);
    server_->send(quick);
    expect_file(quick, "served");
    socket_takes_more(slow);
    serve(slow, content.size());
    expect_file(slow, content);
  }
  expect_all_buffers_free();
}

TEST_F(ForgedSends, AFileThatChangesAfterItsBufferWasTakenIsNotPatchedTogether) {
  const std::string content = some_bytes(60);
  site_.write("file", content);
  site_.write("other", "served");
  ServeOptions options = forged_options();
  options.buffers = 1;
  START(options);
  Client slow = ask_and_read("/file");
  server_->send(slow, 200);
  Client quick = ask("/other");
  read(quick);
  server_->send(quick);
  expect_file(quick, "served");
  site_.write("file", some_bytes(61, 2));
  socket_takes_more(slow);
  while (!server_->has_closed(slow)) {
    if (count(slow, IORING_OP_SEND) > 0) {
      server_->send(slow);
    } else if (count(slow, IORING_OP_READ) > 0) {
      read(slow);
    } else {
      server_->turn();
    }
  }
  server_->turn();
  EXPECT_TRUE(content.starts_with(split(slow.received).body));
  expect_all_buffers_free();
}

TEST_F(ForgedSends, AllWhoWaitForABufferGetOneInTheirOrder) {
  site_.write("file", "served");
  ServeOptions options = forged_options();
  options.buffers = 1;
  START(options);
  Client first = ask("/file");
  Client second = ask("/file");
  Client third = ask("/file");
  EXPECT_EQ(count(second, IORING_OP_READ) + count(third, IORING_OP_READ), 0U);
  read(first);
  server_->send(first);
  expect_file(first, "served");
  EXPECT_EQ(count(third, IORING_OP_READ), 0U);
  read(second);
  server_->send(second);
  expect_file(second, "served");
  read(third);
  server_->send(third);
  expect_file(third, "served");
}

// Its head was taken back with its buffer, and the socket has no room for it even now.
TEST_F(ForgedSends, WhoWaitsForTheSocketIsGivenNoBuffer) {
  const std::string content = some_bytes(60);
  site_.write("file", content);
  site_.write("other", "served");
  ServeOptions options = forged_options();
  options.buffers = 1;
  START(options);
  Client slow = ask_and_read("/file");
  end(slow, IORING_OP_SEND, -EAGAIN);
  Client quick = ask("/other");
  socket_takes_more(slow);
  end(slow, IORING_OP_SEND, -EAGAIN);
  read(quick);
  server_->send(quick);
  expect_file(quick, "served");
  if (count(slow, IORING_OP_READ) > 0) {
    read(slow);
  }
  ask_again(quick, "/other");
  ASSERT_EQ(count(quick, IORING_OP_READ), 1U) << "the buffer is with a client that does not read";
  read(quick);
  server_->send(quick);
  expect_file(quick, "served");
  socket_takes_more(slow);
  serve(slow, content.size());
  expect_file(slow, content);
}

TEST_F(ForgedSends, WhoIsGoneDoesNotWaitForABuffer) {
  site_.write("file", "served");
  ServeOptions options = forged_options();
  options.buffers = 1;
  START(options);
  Client first = ask_and_read("/file");
  Client second = ask("/file");
  end(first, IORING_OP_SEND, -ECONNRESET);
  server_->turn();
  EXPECT_TRUE(server_->has_closed(first));
  read(second);
  server_->send(second);
  expect_file(second, "served");
}
