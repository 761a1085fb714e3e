// Clients that send and do not read: when the server stops to receive from them, when it goes on, and
// that nothing is lost on the way.

#include <poll.h>

#include <algorithm>
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
using uring::IORING_OP_ASYNC_CANCEL;
using uring::IORING_OP_POLL_ADD;
using uring::IORING_OP_RECV;
using uring::IORING_OP_SEND;
using uring::IORING_OP_SENDMSG;

// Before Linux 6.17 a multishot receive cannot be told where to end.
constexpr const char* kNoLimit = "multishot_recv_limit";
constexpr std::uint32_t kMost = 4;  // buffers that a connection may hold

class ForgedEchoPressure : public m3_test::ForgedCase {
 protected:
  [[nodiscard]] static EchoOptions tight_options() {
    EchoOptions options = forged_options();
    options.server.max_buffered = std::size_t{kMost} * kBufferBytes;
    return options;
  }

  // Skips where this kernel does not have the limit either.
  void start_with_limit() {
    if (!forged::kernel_features().has(uring::Feature::MultishotRecvLimit)) {
      GTEST_SKIP() << "this kernel has no limit for a multishot receive: Linux 6.17";
    }
    start(tight_options());
  }

  // Each of them arrives in a buffer of its own. No turn.
  void deliver_each(const Client& client, const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      ASSERT_EQ(server_->deliver(client, text), text.size());
    }
  }

  [[nodiscard]] bool is_stopped(const Client& client) {
    return server_->inside().connection(client.slot).reading_stopped;
  }

  // A client with so much in the buffers, whose socket is full.
  [[nodiscard]] Client blocked_client(const std::string& text) {
    Client client = talker(text);
    end(client, send_of(client).sqe.opcode, -EAGAIN);
    EXPECT_TRUE(is_blocked(client));
    return client;
  }
};

}  // namespace

// --- with a limit: Linux 6.17 -------------------------------------------------------------------------

TEST_F(ForgedEchoPressure, TheRequestItselfSaysWhereItEnds) {
  start_with_limit();
  if (IsSkipped()) {
    return;
  }
  Client client = server_->connect();
  // The first byte of the last buffer for which there is room ends it, with what else is in that.
  EXPECT_EQ(server_->find(client, IORING_OP_RECV).sqe.optlen, (kMost - 1) * kBufferBytes + 1);
  const std::string text = some_text(kMost * kBufferBytes);
  std::size_t arrived = 0;
  while (receives(client) > 0) {
    arrived += server_->deliver(client, std::string_view(text).substr(arrived));
  }
  EXPECT_EQ(arrived, text.size());
  server_->turn();
  EXPECT_EQ(receives(client), 0U);
  EXPECT_TRUE(is_stopped(client));
  // Of four buffers the first is sent, then the second.
  server_->send(client, kBufferBytes);
  EXPECT_EQ(receives(client), 0U) << "more than half is left";
  socket_takes_more(client);
  server_->send(client, kBufferBytes);
  EXPECT_FALSE(is_stopped(client));
  ASSERT_EQ(receives(client), 1U);
  EXPECT_EQ(server_->find(client, IORING_OP_RECV).sqe.optlen, (kMost / 2 - 1) * kBufferBytes + 1)
      << "what is left, and no more";
  EXPECT_EQ(server_->counter("receive_cancels"), 0U);
  server_->serve(client, text.size());
  expect_echoed(client, text);
  expect_all_buffers_back();
}

TEST_F(ForgedEchoPressure, WhoReadsIsReceivedFromForEver) {
  start_with_limit();
  if (IsSkipped()) {
    return;
  }
  Client client = server_->connect();
  std::string text;
  for (unsigned i = 0; i < 10; ++i) {
    const std::string piece = some_text(kMost * kBufferBytes, i);
    server_->arrive(client, piece);
    text += piece;
    server_->serve(client, text.size());
  }
  expect_echoed(client, text);
  expect_all_buffers_back();
}

// A buffer with one byte is a whole buffer that others do not have.
TEST_F(ForgedEchoPressure, BuffersCountAsWholeOnes) {
  START(tight_options());
  Client client = server_->connect();
  deliver_each(client, {"a", "b", "c"});
  server_->turn();
  EXPECT_EQ(server_->counter("receive_cancels"), 0U);
  deliver_each(client, {"d"});
  server_->turn();
  EXPECT_EQ(server_->counter("receive_cancels"), 1U);
  server_->turn();  // its receive has ended with -ECANCELED
  EXPECT_EQ(receives(client), 0U);
  EXPECT_TRUE(is_stopped(client));
  server_->serve(client, 4);
  expect_echoed(client, "abcd");
  EXPECT_FALSE(is_stopped(client));
  expect_all_buffers_back();
}

// --- without: the receive is cancelled -----------------------------------------------------------------

TEST_F(ForgedEchoPressure, WithoutALimitItIsCancelledAndGoesOnAtHalf) {
  START(tight_options(), kNoLimit);
  Client client = server_->connect();
  const Operation receive = server_->find(client, IORING_OP_RECV);
  EXPECT_EQ(receive.sqe.optlen, 0U) << "it would be EINVAL";
  server_->hold(IORING_OP_ASYNC_CANCEL);
  // KERNEL: one enter brings all that the socket holds, and no cancel comes in time.
  const std::string text = some_text(9 * kBufferBytes);
  server_->arrive(client, text);
  const Operation cancel = server_->take(IORING_OP_ASYNC_CANCEL);
  EXPECT_EQ(cancel.sqe.addr, receive.sqe.user_data);
  EXPECT_TRUE(is_stopped(client));
  EXPECT_EQ(receives(client), 1U);
  server_->perform(cancel);
  server_->turn();
  EXPECT_EQ(receives(client), 0U);
  server_->send(client, 6 * kBufferBytes);
  EXPECT_EQ(receives(client), 0U) << "three are left of four";
  socket_takes_more(client);
  server_->send(client, kBufferBytes);
  EXPECT_EQ(receives(client), 1U);
  server_->serve(client, text.size());
  expect_echoed(client, text);
  EXPECT_EQ(server_->counter("receive_cancels"), 1U);
  expect_all_buffers_back();
}

TEST_F(ForgedEchoPressure, WhatComesBehindTheCancelKeepsItsBytesAndTheirOrder) {
  START(tight_options(), kNoLimit);
  Client client = server_->connect();
  server_->hold(IORING_OP_ASYNC_CANCEL);
  std::string text = some_text(5 * kBufferBytes);
  server_->arrive(client, text);
  ASSERT_EQ(server_->count(IORING_OP_ASYNC_CANCEL), 1U);
  for (unsigned i = 1; i < 5; ++i) {
    deliver_each(client, {some_text(20, i), some_text(30, i)});
    text += some_text(20, i) + some_text(30, i);
    server_->turn();
  }
  EXPECT_EQ(server_->count(IORING_OP_ASYNC_CANCEL), 1U) << "once is enough";
  server_->perform(server_->take(IORING_OP_ASYNC_CANCEL));
  server_->turn();
  server_->serve(client, text.size());
  expect_echoed(client, text);
  expect_all_buffers_back();
}

// The receive has ended by itself meanwhile, with bytes or for want of a buffer.
TEST_F(ForgedEchoPressure, ACancelMayComeTooLate) {
  START(tight_options(), kNoLimit);
  server_->hold(IORING_OP_ASYNC_CANCEL);
  for (const bool with_bytes : {true, false}) {
    SCOPED_TRACE(with_bytes);
    Client client = server_->connect();
    std::string text = some_text(5 * kBufferBytes);
    server_->arrive(client, text);
    const Operation cancel = server_->take(IORING_OP_ASYNC_CANCEL);
    if (with_bytes) {
      ASSERT_EQ(server_->deliver(client, "last", true), 4U);
      text += "last";
      server_->end(cancel, -ENOENT);
      server_->turn();
    } else {
      server_->end(cancel, -EALREADY);
      end(client, IORING_OP_RECV, -ENOBUFS);
    }
    EXPECT_EQ(receives(client), 0U);
    server_->serve(client, text.size());
    expect_echoed(client, text);
    expect_all_buffers_back();
    end_of_stream(client);
  }
}

// All of it was sent before the cancel came to its receive: which is armed again when it has ended.
TEST_F(ForgedEchoPressure, WhoReadsAllBeforeTheCancelIsThroughIsReceivedFromAgain) {
  START(tight_options(), kNoLimit);
  server_->hold(IORING_OP_ASYNC_CANCEL);
  Client client = server_->connect();
  const std::string text = some_text(5 * kBufferBytes);
  server_->arrive(client, text);
  server_->serve(client, text.size());
  EXPECT_EQ(receives(client), 1U) << "the first one, and no second";
  server_->perform(server_->take(IORING_OP_ASYNC_CANCEL));
  server_->turn();
  expect_echoed(client, text);
  server_->arrive(client, "more");
  server_->serve(client, text.size() + 4);
  expect_echoed(client, text + "more");
}

TEST_F(ForgedEchoPressure, TheEndOfTheStreamMayComeInsteadOfTheCancel) {
  START(tight_options(), kNoLimit);
  server_->hold(IORING_OP_ASYNC_CANCEL);
  Client client = server_->connect();
  const std::string text = some_text(5 * kBufferBytes);
  server_->arrive(client, text);
  end_of_stream(client);
  server_->end(server_->take(IORING_OP_ASYNC_CANCEL), -ENOENT);
  server_->turn();
  server_->serve(client, text.size());
  EXPECT_TRUE(client.received == text);
  expect_ends(client);
  expect_all_buffers_back();
}

TEST_F(ForgedEchoPressure, ACloseWhileTheCancelIsUnderWayIsAnOrdinaryOne) {
  START(tight_options(), kNoLimit);
  server_->hold(IORING_OP_ASYNC_CANCEL);
  server_->hold(uring::IORING_OP_CLOSE);
  Client client = server_->connect();
  server_->arrive(client, some_text(5 * kBufferBytes));
  end(client, send_of(client).sqe.opcode, -ECONNRESET);
  EXPECT_EQ(server_->count(IORING_OP_ASYNC_CANCEL), 2U);
  server_->perform(server_->take(IORING_OP_ASYNC_CANCEL));
  server_->turn();
  server_->perform(server_->take(IORING_OP_ASYNC_CANCEL));
  server_->perform(server_->take(uring::IORING_OP_CLOSE));
  server_->turn();
  EXPECT_TRUE(server_->has_closed(client));
  expect_all_buffers_back();
  EXPECT_EQ(server_->connect().slot, client.slot);
}

TEST_F(ForgedEchoPressure, ASingleShotIsNotCancelledButNotAskedAgain) {
  EchoOptions options = tight_options();
  options.single_shot = true;
  START(options);
  Client client = server_->connect();
  const std::string text = some_text(kMost * kBufferBytes);
  server_->arrive(client, text);
  EXPECT_EQ(receives(client), 0U);
  EXPECT_EQ(server_->counter("receive_cancels"), 0U);
  server_->serve(client, text.size());
  expect_echoed(client, text);
}

// --- few buffers left ----------------------------------------------------------------------------------

// However many clients do not read: who reads is served, and they lose nothing.
TEST_F(ForgedEchoPressure, WhoDoesNotReadKeepsNobodyWaiting) {
  for (const char* masked : {"", kNoLimit}) {
    SCOPED_TRACE(masked);
    START(forged_options(), masked);
    std::vector<Client> slow;
    std::vector<std::string> texts;
    for (unsigned i = 0; i < 20; ++i) {
      texts.push_back(some_text(10 * kBufferBytes + i, i));
      slow.push_back(blocked_client(texts.back()));
      EXPECT_GE(server_->buffers_with_kernel(), buffers_ / 4);
      expect_serves();
    }
    EXPECT_GT(server_->counter("spills"), 10U);
    for (std::size_t i = 0; i < slow.size(); ++i) {
      server_->serve(slow[i], texts[i].size());
      expect_echoed(slow[i], texts[i]);
    }
    expect_all_buffers_back();
    server_.reset();
  }
}

// It was copied in the middle of a buffer, and again while it was being sent.
TEST_F(ForgedEchoPressure, WhatWasCopiedOutGoesOnWhereverItStopped) {
  START();
  const std::string text = some_text(3 * kBufferBytes);
  for (const std::size_t sent : {0U, 1U, 63U, 64U, 65U, 130U, 191U}) {
    SCOPED_TRACE(sent);
    Client client = talker(text);
    const std::uint64_t spills = server_->counter("spills");
    if (sent == 0) {
      end(client, send_of(client).sqe.opcode, -EAGAIN);
    } else {
      server_->send(client, sent);
    }
    // The others need the buffers.
    std::vector<Client> others;
    while (server_->counter("spills") == spills) {
      others.push_back(talker(some_text(8 * kBufferBytes, 1)));
    }
    for (const std::size_t piece : {5U, 0U, 20U}) {
      if (is_blocked(client)) {
        socket_takes_more(client);
      }
      ASSERT_EQ(sends(client), 1U);
      if (piece == 0) {
        end(client, IORING_OP_SEND, -EAGAIN);
      } else {
        server_->send(client, std::min<std::size_t>(piece, text.size()));
      }
      if (client.received.size() == text.size()) {
        break;
      }
    }
    server_->serve(client, text.size());
    expect_echoed(client, text);
    for (Client& other : others) {
      server_->serve(other, 8 * kBufferBytes);
      end_of_stream(other);
      expect_ends(other);
    }
    end_of_stream(client);
    expect_ends(client);
    expect_all_buffers_back();
  }
}

TEST_F(ForgedEchoPressure, WhatWasCopiedOutIsSentBeforeTheEndToo) {
  START();
  const std::string text = some_text(3 * kBufferBytes);
  Client client = blocked_client(text);
  if (receives(client) > 0) {
    end_of_stream(client);
  }
  std::vector<Client> others;
  while (server_->counter("spills") == 0) {
    others.push_back(blocked_client(some_text(8 * kBufferBytes, 1)));
  }
  server_->serve(client, text.size());
  EXPECT_TRUE(client.received == text);
  expect_ends(client);
}

TEST_F(ForgedEchoPressure, WhoIsGoneTakesWhatWasCopiedOutAlong) {
  START();
  const Client client = blocked_client(some_text(3 * kBufferBytes));
  std::vector<Client> others;
  while (server_->counter("spills") == 0) {
    others.push_back(blocked_client(some_text(8 * kBufferBytes, 1)));
  }
  socket_takes_more(client);
  end(client, IORING_OP_SEND, -EPIPE);
  server_->turn();
  EXPECT_TRUE(server_->has_closed(client));
}
