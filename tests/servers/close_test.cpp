// What close() does to bytes that are on their way: the facts behind Server::finish().

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/errno.hpp"
#include "common/base/unique_fd.hpp"
#include "common/net/address.hpp"
#include "common/net/listener.hpp"
#include "common/net/socket.hpp"

namespace {

using base::UniqueFd;

// All that can be received until the stream ends, and with which error: 0 for a FIN.
struct Rest {
  std::size_t bytes = 0;
  int error = 0;
};

class CloseTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto listener = net::listen(*net::Address::parse("127.0.0.1"), {.blocking = true});
    ASSERT_TRUE(listener);
    client_ = UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(connect(client_.get(), listener->address.data(), listener->address.size()), 0);
    server_ = UniqueFd(accept4(listener->fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
    ASSERT_TRUE(server_.valid());
  }

  void client_sends(std::size_t bytes) {
    const std::string data(bytes, 'q');
    ASSERT_EQ(send(client_.get(), data.data(), bytes, MSG_NOSIGNAL), static_cast<ssize_t>(bytes));
    ASSERT_TRUE(becomes_readable(server_.get()));
  }

  // As much as both kernels take without the client reading.
  [[nodiscard]] std::size_t server_fills_the_connection() {
    const std::vector<char> piece(64 << 10, 'a');
    std::size_t total = 0;
    // The windows grow for a moment, so an EAGAIN counts only when it lasts.
    for (int quiet_tries = 0; quiet_tries < 20;) {
      const ssize_t sent =
          send(server_.get(), piece.data(), piece.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0) {
        total += static_cast<std::size_t>(sent);
        quiet_tries = 0;
      } else {
        ++quiet_tries;
        usleep(5000);
      }
    }
    return total;
  }

  [[nodiscard]] static bool becomes_readable(int fd) {
    pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
    return poll(&entry, 1, 5000) == 1;
  }

  [[nodiscard]] Rest client_reads_to_the_end() {
    Rest rest;
    std::vector<char> buffer(64 << 10);
    while (true) {
      const ssize_t count = recv(client_.get(), buffer.data(), buffer.size(), 0);
      if (count <= 0) {
        rest.error = count == 0 ? 0 : base::last_error().value;
        return rest;
      }
      rest.bytes += static_cast<std::size_t>(count);
    }
  }

  UniqueFd client_;
  UniqueFd server_;
};

TEST_F(CloseTest, WithNothingUnreadAllIsDeliveredAndThenTheFin) {
  const std::size_t sent = server_fills_the_connection();
  server_.reset();
  const Rest rest = client_reads_to_the_end();
  EXPECT_EQ(rest.bytes, sent);
  EXPECT_EQ(rest.error, 0);
}

TEST_F(CloseTest, WithInputUnreadItIsAResetThatLosesWhatTheClientHasNotReceived) {
  client_sends(10);
  const std::size_t sent = server_fills_the_connection();
  server_.reset();
  const Rest rest = client_reads_to_the_end();
  EXPECT_LT(rest.bytes, sent);
  EXPECT_EQ(rest.error, ECONNRESET);
}

TEST_F(CloseTest, WhatTheClientHasReceivedBeforeTheResetCanStillBeRead) {
  client_sends(10);
  ASSERT_EQ(send(server_.get(), "answer", 6, MSG_NOSIGNAL), 6);
  ASSERT_TRUE(becomes_readable(client_.get()));
  server_.reset();
  pollfd entry{.fd = client_.get(), .events = 0, .revents = 0};
  ASSERT_EQ(poll(&entry, 1, 5000), 1) << "the reset has come";
  const Rest rest = client_reads_to_the_end();
  EXPECT_EQ(rest.bytes, 6U);
  EXPECT_EQ(rest.error, ECONNRESET);
}

TEST_F(CloseTest, ShutDownFirstAndReadToTheEndNothingIsLost) {
  client_sends(10);
  const std::size_t sent = server_fills_the_connection();
  ASSERT_TRUE(net::shutdown_sending(server_.get()));
  char discarded[16];
  EXPECT_EQ(recv(server_.get(), discarded, sizeof discarded, 0), 10);
  const Rest rest = client_reads_to_the_end();
  EXPECT_EQ(rest.bytes, sent);
  EXPECT_EQ(rest.error, 0);
}

}  // namespace
