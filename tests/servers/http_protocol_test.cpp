// HTTP on one connection whose socket is as full as the test wants it. Over the network that is a
// matter of luck.

#include "docs/epoll_reference/http/http_protocol.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "common/base/unique_fd.hpp"
#include "docs/epoll_reference/http/http_options.hpp"
#include "docs/epoll_reference/http/open_beneath.hpp"
#include "docs/epoll_reference/reactor/reactor.hpp"
#include "docs/epoll_reference/server/server.hpp"

namespace {

using epoll_reference::Connection;
using epoll_reference::HttpOptions;
using epoll_reference::HttpProtocol;
using epoll_reference::Reactor;
using epoll_reference::Server;

class HttpProtocolTest : public testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> sockets{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets.data()), 0);
    ours_ = base::UniqueFd(sockets[0]);
    client_ = base::UniqueFd(sockets[1]);
    connection_.server = &server_;
    connection_.fd = ours_.get();
    protocol_.on_open(connection_);
  }
  void TearDown() override {
    reactor_.cancel(connection_.timer);
    protocol_.recycle(connection_);
  }

  void client_sends(std::string_view bytes) {
    ASSERT_EQ(::send(client_.get(), bytes.data(), bytes.size(), 0),
              static_cast<ssize_t>(bytes.size()));
    protocol_.on_events(connection_, EPOLLIN);
  }

  void fill_the_socket() {
    const std::string piece(1024, '.');
    while (::send(ours_.get(), piece.data(), piece.size(), 0) > 0) {
    }
  }

  HttpOptions options_;
  Reactor reactor_ = Reactor::create({}).value();
  base::UniqueFd root_ = epoll_reference::open_root(".").value();
  HttpProtocol protocol_{reactor_, root_.get(), options_};
  Server server_{reactor_, protocol_, options_.server};
  Connection& connection_ = protocol_.make();
  base::UniqueFd ours_;
  base::UniqueFd client_;
};

TEST_F(HttpProtocolTest, ARefusalThatHasToWaitIsTheLastAnswer) {
  client_sends("G");
  EXPECT_NE(connection_.deadline_ns, 0U) << "a head that has begun has to end in time";
  fill_the_socket();
  client_sends("\x01\r\n");
  EXPECT_GT(connection_.out.size(), 0U) << "the 400 does not fit into the socket";
  EXPECT_EQ(connection_.deadline_ns, 0U) << "or a 408 would follow it";
}

}  // namespace
