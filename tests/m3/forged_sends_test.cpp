// Sends that end in every way, and clients that do not read.

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <string>

#include "common/support/cpu_clock.hpp"
#include "tests/m3/forged_case.hpp"

namespace {

using m3_test::Client;
using m3_test::forged_options;
using m3_test::kBufferBytes;
using m3_test::Operation;
using m3_test::some_text;
using network_server::EchoOptions;
using uring::IORING_OP_POLL_ADD;
using uring::IORING_OP_SEND;
using uring::IORING_OP_SENDMSG;

constexpr std::uint64_t kPatienceNs = 5'000'000'000;

class ForgedEchoSends : public m3_test::ForgedCase {
 protected:
  // A client with a SENDMSG of these three in flight: they came while a send was under way.
  [[nodiscard]] Client talker_of_three(const std::string& first, const std::string& second,
                                       const std::string& third) {
    Client client = talker("!");
    for (const std::string& text : {first, second, third}) {
      EXPECT_EQ(server_->deliver(client, text), text.size());
    }
    server_->turn();
    server_->send(client);
    client.received.clear();
    EXPECT_EQ(count(client, IORING_OP_SENDMSG), 1U);
    return client;
  }
};

}  // namespace

TEST_F(ForgedEchoSends, WhatIsReceivedIsSentFromWhereItLies) {
  START();
  Client client = server_->connect();
  ASSERT_EQ(server_->deliver(client, "hello"), 5U);
  server_->turn();
  EXPECT_EQ(server_->buffers_with_kernel(), buffers_ - 1);
  EXPECT_EQ(send_of(client).text(), "hello");
  server_->send(client);
  expect_echoed(client, "hello");
  expect_all_buffers_back();
}

TEST_F(ForgedEchoSends, NoSendWaitsOrRaisesASignal) {
  START();
  Client client = talker_of_three("a", "b", "c");
  const std::uint32_t flags = send_of(client).sqe.msg_flags;
  EXPECT_NE(flags & MSG_DONTWAIT, 0U);
  EXPECT_NE(flags & MSG_NOSIGNAL, 0U);
  server_->send(client);
  server_->arrive(client, "d");
  EXPECT_EQ(count(client, IORING_OP_SEND), 1U) << "one buffer needs no list of pieces";
  EXPECT_EQ(send_of(client).sqe.msg_flags, flags);
}

TEST_F(ForgedEchoSends, AByteAtATime) {
  START();
  const std::string text = some_text(40);
  Client client = talker(text);
  for (std::size_t sent = 1; sent < text.size(); ++sent) {
    server_->send(client, 1);
    EXPECT_EQ(sends(client), 0U) << "the socket took what it has room for";
    EXPECT_EQ(server_->buffers_with_kernel(), buffers_ - 1);
    socket_takes_more(client);
  }
  server_->send(client, 1);
  expect_echoed(client, text);
  expect_all_buffers_back();
  EXPECT_EQ(server_->counter("short_sends"), text.size() - 1);
  EXPECT_EQ(server_->counter("sent_buffers"), 1U);
}

TEST_F(ForgedEchoSends, OneIsInFlightHoweverMuchArrives) {
  START();
  Client client = talker("first");
  std::string rest;
  for (unsigned i = 0; i < 5; ++i) {
    server_->arrive(client, some_text(30, i));
    rest += some_text(30, i);
    EXPECT_EQ(sends(client), 1U);
  }
  server_->send(client);
  EXPECT_EQ(sends(client), 1U);
  EXPECT_EQ(send_of(client).text(), rest) << "all that waits leaves together";
  server_->send(client);
  expect_echoed(client, "first" + rest);
  expect_all_buffers_back();
}

// In the first, the second or the third of three buffers, and between them.
TEST_F(ForgedEchoSends, AShortSendOfSeveralBuffersGoesOnWhereverItEnded) {
  START();
  const std::string first = some_text(11, 1);
  const std::string second = some_text(13, 2);
  const std::string third = some_text(17, 3);
  const std::string text = first + second + third;
  for (std::size_t cut = 1; cut < text.size(); ++cut) {
    SCOPED_TRACE(cut);
    Client client = talker_of_three(first, second, third);
    ASSERT_EQ(send_of(client).text(), text);
    server_->send(client, cut);
    const std::size_t left = cut < 11 ? 3 : cut < 24 ? 2 : 1;
    EXPECT_EQ(server_->buffers_with_kernel(), buffers_ - left)
        << "those that are sent go back, the others do not";
    socket_takes_more(client);
    EXPECT_EQ(send_of(client).text(), text.substr(cut));
    server_->send(client);
    expect_echoed(client, text);
    expect_all_buffers_back();
    end_of_stream(client);
  }
}

TEST_F(ForgedEchoSends, WhatArrivesBehindAShortSendComesBehindIt) {
  START();
  Client client = talker("abcdef");
  server_->send(client, 2);
  server_->arrive(client, "ghi");
  EXPECT_EQ(sends(client), 0U) << "the socket is full, whoever wants to send";
  socket_takes_more(client);
  EXPECT_EQ(send_of(client).text(), "cdefghi");
  server_->arrive(client, "jkl");
  server_->send(client);
  server_->send(client);
  expect_echoed(client, "abcdefghijkl");
  expect_all_buffers_back();
}

TEST_F(ForgedEchoSends, NoMoreBuffersLeaveTogetherThanTheOptionSays) {
  for (const std::uint16_t most : std::to_array<std::uint16_t>({1, 2, 5})) {
    EchoOptions options = forged_options();
    options.send_buffers = most;
    START(options);
    Client client = talker("!");
    std::string text = "!";
    for (unsigned i = 0; i < 8; ++i) {
      server_->arrive(client, some_text(20, i));
      text += some_text(20, i);
    }
    server_->send(client);
    for (std::size_t sent = 0; sent < 8;) {
      const std::size_t now = std::min<std::size_t>(most, 8 - sent);
      EXPECT_EQ(send_of(client).text().size(), 20 * now);
      server_->send(client);
      sent += now;
    }
    expect_echoed(client, text);
    expect_all_buffers_back();
    server_.reset();
  }
}

TEST_F(ForgedEchoSends, AFullSocketIsWaitedFor) {
  START();
  Client client = talker("hello");
  end(client, IORING_OP_SEND, -EAGAIN);
  EXPECT_EQ(sends(client), 0U);
  ASSERT_TRUE(is_blocked(client));
  EXPECT_NE(server_->find(client, IORING_OP_POLL_ADD).sqe.poll32_events & POLLOUT, 0U);
  socket_takes_more(client);
  end(client, IORING_OP_SEND, -EINTR);
  EXPECT_FALSE(is_blocked(client)) << "that one is only asked for again";
  server_->send(client);
  expect_echoed(client, "hello");
  EXPECT_EQ(server_->counter("sends_blocked"), 1U);
}

// It has shut down its side and reads nothing: such a poll would complete at once, for ever.
TEST_F(ForgedEchoSends, APollThatSaysOnlyThatTheClientSendsNoMoreIsNotAskedAgainAtOnce) {
  START();
  Client client = talker("hello");
  end_of_stream(client);
  std::uint64_t waited_ns = 0;
  for (int i = 0; i < 8; ++i) {
    end(client, IORING_OP_SEND, -EAGAIN);
    end(client, IORING_OP_POLL_ADD, POLLRDHUP);
    EXPECT_EQ(sends(client), 0U);
    EXPECT_FALSE(is_blocked(client));
    const std::uint64_t begin_ns = support::now_ns();
    while (sends(client) == 0 && waited_ns < kPatienceNs) {
      ::usleep(500);
      server_->turn();
      waited_ns = support::now_ns() - begin_ns;
    }
  }
  EXPECT_GT(waited_ns, 50'000'000U) << "it waits longer each time";
  server_->send(client);
  EXPECT_EQ(client.received, "hello");
  expect_all_buffers_back();
}

TEST_F(ForgedEchoSends, EveryOtherErrorEndsThisConnectionAlone) {
  START();
  for (const int error :
       {ECONNRESET, EPIPE, ETIMEDOUT, ENOMEM, ENOBUFS, EHOSTUNREACH, ENOTCONN, EPROTO}) {
    SCOPED_TRACE(error);
    const Client client = talker("hello");
    server_->arrive(client, "what waits behind it");
    end(client, IORING_OP_SEND, -error);
    server_->turn();
    EXPECT_TRUE(server_->has_closed(client));
    expect_all_buffers_back();
  }
  expect_serves();
}

TEST_F(ForgedEchoSends, AnErrorOfTheWaitEndsTheConnection) {
  START();
  const Client client = talker("hello");
  end(client, IORING_OP_SEND, -EAGAIN);
  end(client, IORING_OP_POLL_ADD, -ENOMEM);
  server_->turn();
  EXPECT_TRUE(server_->has_closed(client));
  expect_all_buffers_back();
  expect_serves();
}

// The poll tells of an error and not which: the send does.
TEST_F(ForgedEchoSends, APollThatSaysThatTheConnectionIsBrokenIsFollowedByASend) {
  START();
  const Client client = talker("hello");
  end(client, IORING_OP_SEND, -EAGAIN);
  end(client, IORING_OP_POLL_ADD, POLLERR | POLLHUP | POLLOUT);
  end(client, IORING_OP_SEND, -ECONNRESET);
  server_->turn();
  EXPECT_TRUE(server_->has_closed(client));
  expect_all_buffers_back();
}

// --- the end -----------------------------------------------------------------------------------------

TEST_F(ForgedEchoSends, AfterTheEndOfTheStreamAllThatWaitsIsSentBeforeItCloses) {
  START();
  Client client = talker("one ");
  server_->arrive(client, "two ");
  server_->arrive(client, "three");
  end_of_stream(client);
  EXPECT_EQ(receives(client), 0U);
  server_->send(client);
  EXPECT_FALSE(server_->has_closed(client));
  server_->send(client, 3);
  socket_takes_more(client);
  EXPECT_FALSE(server_->has_closed(client));
  server_->send(client);
  EXPECT_EQ(client.received, "one two three");
  expect_all_buffers_back();
  expect_ends(client);
}

TEST_F(ForgedEchoSends, WithNothingToSendTheEndOfTheStreamIsTheEnd) {
  START();
  const Client client = server_->connect();
  end_of_stream(client);
  expect_ends(client);
  expect_all_buffers_back();
}

// KERNEL: what is being sent is read until the operation has completed, whatever was closed meanwhile.
TEST_F(ForgedEchoSends, BuffersOfASendThatIsInFlightComeBackWithItAlthoughTheConnectionIsClosed) {
  START();
  Client client = talker("abc");
  server_->arrive(client, "def");
  const Operation send = server_->take(client, IORING_OP_SEND);
  end(client, uring::IORING_OP_RECV, -ECONNRESET);
  server_->turn();
  EXPECT_TRUE(server_->has_closed(client));
  EXPECT_LT(server_->buffers_with_kernel(), buffers_) << "the kernel reads from one of them";
  EXPECT_EQ(send.text(), "abc");
  const Client other = server_->connect();
  EXPECT_NE(other.slot, client.slot) << "its memory is in use";
  server_->arrive(other, some_text(kBufferBytes * 3, 7));
  EXPECT_EQ(send.text(), "abc") << "somebody else's bytes";
  server_->end(send, 3);
  server_->turn();
  EXPECT_EQ(server_->buffers_with_kernel(), buffers_ - 3);
  EXPECT_EQ(server_->connect().slot, client.slot);
}

TEST_F(ForgedEchoSends, TheSameForSeveralBuffersAndForAnErrorOfTheSend) {
  START();
  const Client client = talker_of_three("abc", "def", "ghi");
  const Operation send = server_->take(client, IORING_OP_SENDMSG);
  end(client, uring::IORING_OP_RECV, -ECONNRESET);
  server_->turn();
  EXPECT_TRUE(server_->has_closed(client));
  EXPECT_EQ(server_->buffers_with_kernel(), buffers_ - 3);
  server_->end(send, -EPIPE);
  server_->turn();
  expect_all_buffers_back();
}
