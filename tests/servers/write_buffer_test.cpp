// The write buffer on real sockets: what it sends, what it holds, and when it wants EPOLLOUT.

#include "docs/epoll_reference/reactor/write_buffer.hpp"

#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <span>

#include "tests/servers/reactor_fixture.hpp"

namespace epoll_reference {
namespace {

using Bytes = std::vector<std::byte>;

// Bytes that differ from their neighbours and do not repeat with a power of two.
Bytes pattern(std::size_t count, std::size_t from = 0) {
  Bytes bytes(count);
  for (std::size_t i = 0; i < count; ++i) {
    bytes[i] = static_cast<std::byte>((from + i) % 251);
  }
  return bytes;
}

// A pair of sockets with little room in between.
class WriteBufferTest : public testing::Test {
 protected:
  void SetUp() override {
    const int bytes = 4096;
    ASSERT_EQ(::setsockopt(fd(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes), 0);
  }

  int fd() const { return pair.ours.get(); }
  // Up to `limit` bytes of what has arrived, appended to `received`.
  std::size_t receive(std::size_t limit = std::size_t{1} << 30) {
    std::size_t count = 0;
    while (count < limit) {
      std::array<std::byte, 1000> chunk;
      const ssize_t got =
          ::recv(pair.peer.get(), chunk.data(), std::min(chunk.size(), limit - count), 0);
      if (got <= 0) {
        break;
      }
      received.insert(received.end(), chunk.begin(), chunk.begin() + got);
      count += static_cast<std::size_t>(got);
    }
    return count;
  }
  // Until nothing waits any more.
  void drain(WriteBuffer& output) {
    receive();
    while (output.waiting()) {
      ASSERT_TRUE(output.flush(fd()).has_value());
      ASSERT_GT(receive(), 0u);
    }
  }
  std::size_t must_write(WriteBuffer& output, std::span<const std::byte> data) {
    const auto accepted = output.write(fd(), data);
    EXPECT_TRUE(accepted.has_value());
    return accepted.value_or(0);
  }

  SocketPair pair;
  Bytes received;
};

TEST_F(WriteBufferTest, WhatTheSocketTakesIsNotBuffered) {
  WriteBuffer output;
  const Bytes data = pattern(100);
  EXPECT_EQ(must_write(output, data), 100u);
  EXPECT_FALSE(output.waiting());
  EXPECT_EQ(output.capacity(), 0u);
  receive();
  EXPECT_EQ(received, data);
}

TEST_F(WriteBufferTest, NothingIsWrittenAndNothingWaits) {
  WriteBuffer output;
  EXPECT_EQ(must_write(output, {}), 0u);
  EXPECT_TRUE(output.flush(fd()).has_value());
  EXPECT_FALSE(output.waiting());
}

TEST_F(WriteBufferTest, TheRestWaitsAndArrivesInOrder) {
  WriteBuffer output;
  const Bytes data = pattern(100'000);
  EXPECT_EQ(must_write(output, data), data.size());
  EXPECT_TRUE(output.waiting());
  EXPECT_GT(output.size(), 0u);
  EXPECT_LT(output.size(), data.size());
  drain(output);
  EXPECT_EQ(received, data);
}

TEST_F(WriteBufferTest, WhatComesWhileSomethingWaitsGoesBehindIt) {
  WriteBuffer output;
  must_write(output, pattern(50'000));
  ASSERT_TRUE(output.waiting());
  receive();  // the socket has room again, which must not let the next bytes overtake
  const std::size_t waiting = output.size();
  must_write(output, pattern(1000, 50'000));
  EXPECT_EQ(output.size(), waiting + 1000);
  drain(output);
  EXPECT_EQ(received, pattern(51'000));
}

TEST_F(WriteBufferTest, AFullSocketLeavesEverythingWaiting) {
  WriteBuffer output;
  must_write(output, pattern(100'000));
  const std::size_t waiting = output.size();
  EXPECT_TRUE(output.flush(fd()).has_value());  // EAGAIN
  EXPECT_EQ(output.size(), waiting);
}

TEST_F(WriteBufferTest, MemoryComesByDoublingAndGoesWhenAllIsSent) {
  WriteBuffer output(1 << 20);
  must_write(output, pattern(20'000));
  ASSERT_TRUE(output.waiting());
  std::size_t capacity = output.capacity();
  int growths = 0;
  for (int i = 0; i < 1000; ++i) {
    must_write(output, pattern(500));
    if (output.capacity() != capacity) {
      EXPECT_GE(output.capacity(), 2 * capacity);
      capacity = output.capacity();
      ++growths;
    }
  }
  EXPECT_GE(capacity, output.size());
  EXPECT_LT(capacity, 4 * output.size());
  EXPECT_LE(growths, 6);
  drain(output);
  EXPECT_EQ(output.capacity(), 0u);
}

TEST_F(WriteBufferTest, AtTheLimitItSaysSoAndKeepsNoMore) {
  WriteBuffer output(10'000);
  const Bytes data = pattern(100'000);
  const std::size_t accepted = must_write(output, data);
  EXPECT_LT(accepted, data.size());
  EXPECT_TRUE(output.full());
  EXPECT_EQ(output.room(), 0u);
  EXPECT_EQ(output.size(), 10'000u);
  EXPECT_EQ(output.capacity(), 10'000u);
  EXPECT_EQ(must_write(output, data), 0u);
  drain(output);
  EXPECT_FALSE(output.full());
  EXPECT_EQ(received, pattern(accepted));
}

TEST_F(WriteBufferTest, WhatIsNoMoreThanTheRoomIsAcceptedWhole) {
  WriteBuffer output(10'000);
  std::size_t sent = 0;
  std::mt19937 random(2);
  while (!output.full()) {
    const std::size_t count = std::min<std::size_t>(1 + random() % 999, output.room());
    ASSERT_EQ(must_write(output, pattern(count, sent)), count);
    sent += count;
  }
  drain(output);
  EXPECT_EQ(received, pattern(sent));
}

// A slow reader, and a writer that keeps the buffer half full: the waiting bytes move to the front,
// the memory does not grow.
TEST_F(WriteBufferTest, SpaceAtTheFrontIsUsedAgain) {
  WriteBuffer output(1 << 20);
  std::size_t sent = must_write(output, pattern(30'000));
  ASSERT_TRUE(output.waiting());
  std::size_t largest = 0;
  for (int i = 0; i < 3000; ++i) {
    const std::size_t taken = receive(1000);
    ASSERT_TRUE(output.flush(fd()).has_value());
    sent += must_write(output, pattern(taken, sent));
    largest = std::max(largest, output.capacity());
  }
  EXPECT_GT(sent, 1'000'000u);
  EXPECT_LE(largest, 128u * 1024);
  drain(output);
  EXPECT_EQ(received, pattern(sent));
}

TEST_F(WriteBufferTest, AnythingInAnyOrderArrivesByteByByte) {
  std::mt19937 random(4);
  WriteBuffer output(50'000);
  std::size_t sent = 0;
  for (int i = 0; i < 5000; ++i) {
    switch (random() % 3) {
      case 0:
        sent += must_write(output, pattern(random() % 8000, sent));
        break;
      case 1:
        ASSERT_TRUE(output.flush(fd()).has_value());
        break;
      default:
        receive(random() % 9000);
        break;
    }
    ASSERT_LE(output.capacity(), 50'000u);
    ASSERT_LE(output.size(), output.capacity());
  }
  drain(output);
  EXPECT_EQ(received, pattern(sent));
}

TEST_F(WriteBufferTest, ClearDropsWhatWaits) {
  WriteBuffer output;
  must_write(output, pattern(100'000));
  output.clear();
  EXPECT_FALSE(output.waiting());
  EXPECT_EQ(output.capacity(), 0u);
  EXPECT_EQ(output.room(), output.limit());
}

TEST_F(WriteBufferTest, APeerThatHasGoneIsAnErrorAndNoSignal) {
  WriteBuffer output;
  pair.peer.reset();
  const auto written = output.write(fd(), pattern(10));
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().value, EPIPE);
}

TEST_F(WriteBufferTest, APeerThatGoesWhileSomethingWaitsIsAnErrorOfFlush) {
  WriteBuffer output;
  must_write(output, pattern(100'000));
  ASSERT_TRUE(output.waiting());
  pair.peer.reset();
  const auto flushed = output.flush(fd());
  ASSERT_FALSE(flushed.has_value());
  EXPECT_TRUE(flushed.error().value == EPIPE || flushed.error().value == ECONNRESET);
}

// Two TCP sockets on the loopback interface.
void connect_tcp(base::UniqueFd& ours, base::UniqueFd& peer) {
  const base::UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(::bind(listener.get(), generic, length), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  ASSERT_EQ(::getsockname(listener.get(), generic, &length), 0);
  peer.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::connect(peer.get(), generic, length), 0);
  ours.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  ASSERT_TRUE(ours.valid());
}

// Closing with bytes unread makes TCP send a reset.
TEST(WriteBufferTcpTest, AResetIsAnError) {
  base::UniqueFd ours;
  base::UniqueFd peer;
  ASSERT_NO_FATAL_FAILURE(connect_tcp(ours, peer));
  WriteBuffer output;
  ASSERT_TRUE(output.write(ours.get(), pattern(10)).has_value());
  peer.reset();
  const auto written = output.write(ours.get(), pattern(10));
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().value, ECONNRESET);
}

// The way a server uses it: EPOLLOUT is armed exactly while something waits.
class WriterOnReactor {
 public:
  WriterOnReactor(Reactor& reactor, int fd) : reactor_(reactor), fd_(fd) {
    const auto added = reactor.add(fd, EPOLLIN, IoCallback::to<&WriterOnReactor::on_io>(*this));
    EXPECT_TRUE(added.has_value());
    registration_ = added.value_or(Registration{});
  }
  void write(std::span<const std::byte> data) {
    EXPECT_EQ(output.write(fd_, data), data.size());
    arm();
  }
  void on_io(std::uint32_t events) {
    EXPECT_EQ(events, EPOLLOUT);
    EXPECT_TRUE(output.waiting());  // never woken for nothing
    EXPECT_TRUE(output.flush(fd_).has_value());
    arm();
  }

  WriteBuffer output;

 private:
  void arm() { reactor_.modify(registration_, output.waiting() ? EPOLLIN | EPOLLOUT : EPOLLIN); }

  Reactor& reactor_;
  int fd_;
  Registration registration_;
};

TEST_F(WriteBufferTest, EpolloutIsArmedExactlyWhileSomethingWaits) {
  Reactor reactor = must_create({});
  WriterOnReactor writer(reactor, fd());
  for (int i = 0; i < 10; ++i) {
    writer.write(pattern(100));
    reactor.turn(0);
    receive();
  }
  EXPECT_EQ(reactor.counters().epoll_ctl_calls, 1u);  // the registration
  EXPECT_EQ(reactor.counters().events, 0u);

  writer.write(pattern(100'000));
  EXPECT_EQ(reactor.counters().epoll_ctl_calls, 2u);
  reactor.turn(0);
  EXPECT_EQ(reactor.counters().events, 0u);  // the peer reads nothing: nobody is woken
  while (writer.output.waiting()) {
    ASSERT_GT(receive(), 0u);
    reactor.turn(0);
  }
  EXPECT_EQ(reactor.counters().epoll_ctl_calls, 3u);

  const std::uint64_t events = reactor.counters().events;
  receive();
  reactor.turn(0);
  EXPECT_EQ(reactor.counters().events, events);  // writable, but nobody wants to know
}

}  // namespace
}  // namespace epoll_reference
