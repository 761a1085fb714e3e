// The listener and the socket options, on loopback.

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include <gtest/gtest.h>

#include "common/net/listener.hpp"
#include "common/net/socket.hpp"

using base::Errno;
using base::UniqueFd;
using net::Address;

namespace {

Address address_of(const char* text) {
  const auto address = Address::parse(text);
  EXPECT_TRUE(address) << text;
  return address.value_or(Address());
}

// A listener, a client that is connected to it, and the socket accepted for that client.
struct Connected {
  net::Listener listener;
  UniqueFd client;
  UniqueFd accepted;
};

Connected connect_to(const char* address) {
  auto listener = net::listen(address_of(address), {.blocking = true});
  EXPECT_TRUE(listener);
  Connected sockets{.listener = std::move(*listener), .client = {}, .accepted = {}};
  const Address& target = sockets.listener.address;
  sockets.client.reset(::socket(target.family(), SOCK_STREAM, 0));
  EXPECT_EQ(::connect(sockets.client.get(), target.data(), target.size()), 0);
  sockets.accepted.reset(::accept4(sockets.listener.fd.get(), nullptr, nullptr, 0));
  EXPECT_TRUE(sockets.accepted.valid());
  return sockets;
}

}  // namespace

TEST(NetListener, ReadsBackThePortThatTheKernelChose) {
  const auto listener = net::listen(address_of("127.0.0.1:0"));
  ASSERT_TRUE(listener);
  EXPECT_NE(listener->address.port(), 0);
  const auto local = net::local_address(listener->fd.get());
  ASSERT_TRUE(local);
  EXPECT_EQ(local->to_string(), listener->address.to_string());
}

TEST(NetListener, IsClosedByAnExecAndDoesNotBlock) {
  const auto listener = net::listen(address_of("127.0.0.1:0"));
  ASSERT_TRUE(listener);
  EXPECT_NE(::fcntl(listener->fd.get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_EQ(::accept4(listener->fd.get(), nullptr, nullptr, 0), -1);
  EXPECT_EQ(base::last_error(), Errno{EAGAIN});

  const auto blocking = net::listen(address_of("127.0.0.1:0"), {.blocking = true});
  ASSERT_TRUE(blocking);
  EXPECT_EQ(::fcntl(blocking->fd.get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST(NetListener, AcceptedSocketsInheritNodelay) {
  for (const char* address : {"127.0.0.1:0", "[::1]:0"}) {
    const Connected sockets = connect_to(address);
    const auto accepted = net::get_option(sockets.accepted.get(), IPPROTO_TCP, TCP_NODELAY);
    ASSERT_TRUE(accepted) << address;
    EXPECT_NE(*accepted, 0) << address;
    // That it comes from the listener: the client's socket, made by hand, has the kernel's default.
    const auto client = net::get_option(sockets.client.get(), IPPROTO_TCP, TCP_NODELAY);
    ASSERT_TRUE(client) << address;
    EXPECT_EQ(*client, 0) << address;
  }
}

TEST(NetListener, APortThatIsTakenIsEaddrinuse) {
  const auto first = net::listen(address_of("127.0.0.1:0"));
  ASSERT_TRUE(first);
  const auto second = net::listen(first->address);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), Errno{EADDRINUSE});
}

TEST(NetListener, CanBindBesideAConnectionInTimeWait) {
  Connected sockets = connect_to("127.0.0.1:0");
  const Address address = sockets.listener.address;
  sockets.accepted.reset();  // closed here first: TIME_WAIT stays on our side
  sockets.client.reset();
  sockets.listener.fd.reset();
  EXPECT_TRUE(net::listen(address));
}

TEST(NetListener, AnAddressOfAnotherMachineIsEaddrnotavail) {
  const auto listener = net::listen(address_of("192.0.2.1:0"));
  ASSERT_FALSE(listener);
  EXPECT_EQ(listener.error(), Errno{EADDRNOTAVAIL});
}

TEST(NetListener, IPv6TakesNothingElse) {
  const auto v6 = net::listen(address_of("[::]:0"));
  ASSERT_TRUE(v6);
  const auto only = net::get_option(v6->fd.get(), IPPROTO_IPV6, IPV6_V6ONLY);
  ASSERT_TRUE(only);
  EXPECT_EQ(*only, 1);
  Address v4 = address_of("0.0.0.0");
  v4.set_port(v6->address.port());
  EXPECT_TRUE(net::listen(v4)) << "the same port beside it";
}

TEST(NetListener, KeepsNoMoreWaitingThanTheBacklog) {
  // KERNEL: with a backlog of N, N + 1 fit. The next one's SYN is dropped, and it goes on trying.
  const auto listener = net::listen(address_of("127.0.0.1:0"), {.backlog = 1});
  ASSERT_TRUE(listener);
  std::array<UniqueFd, 3> clients;
  for (UniqueFd& client : clients) {
    client.reset(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    EXPECT_EQ(::connect(client.get(), listener->address.data(), listener->address.size()), -1);
  }
  const auto is_connected = [](const UniqueFd& client) {
    return net::peer_address(client.get()).has_value();
  };
  EXPECT_TRUE(is_connected(clients[0]));
  EXPECT_TRUE(is_connected(clients[1]));
  EXPECT_FALSE(is_connected(clients[2]));
}

TEST(NetSocket, KnowsBothEnds) {
  const Connected sockets = connect_to("[::1]:0");
  const auto peer = net::peer_address(sockets.accepted.get());
  const auto client = net::local_address(sockets.client.get());
  ASSERT_TRUE(peer && client);
  EXPECT_EQ(peer->to_string(), client->to_string());
  const auto nobody = net::peer_address(sockets.listener.fd.get());
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error(), Errno{ENOTCONN});
}

TEST(NetSocket, IsNoIpSocket) {
  std::array<int, 2> pair{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()), 0);
  const UniqueFd left(pair[0]);
  const UniqueFd right(pair[1]);
  const auto address = net::local_address(left.get());
  ASSERT_FALSE(address);
  EXPECT_EQ(address.error(), Errno{EAFNOSUPPORT});
}

TEST(NetSocket, NodelayCanBeSetAndCleared) {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM, 0));
  ASSERT_TRUE(net::set_nodelay(fd.get(), true));
  EXPECT_NE(net::get_option(fd.get(), IPPROTO_TCP, TCP_NODELAY).value_or(0), 0);
  ASSERT_TRUE(net::set_nodelay(fd.get(), false));
  EXPECT_EQ(net::get_option(fd.get(), IPPROTO_TCP, TCP_NODELAY).value_or(1), 0);
}

TEST(NetSocket, BufferSizesReadBackDoubled) {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM, 0));
  ASSERT_TRUE(net::set_send_buffer(fd.get(), 20'000));
  EXPECT_EQ(net::get_option(fd.get(), SOL_SOCKET, SO_SNDBUF).value_or(0), 40'000);
  ASSERT_TRUE(net::set_receive_buffer(fd.get(), 30'000));
  EXPECT_EQ(net::get_option(fd.get(), SOL_SOCKET, SO_RCVBUF).value_or(0), 60'000);
}

TEST(NetSocket, APendingErrorIsReportedOnce) {
  Connected sockets = connect_to("127.0.0.1:0");
  EXPECT_TRUE(net::pending_error(sockets.client.get()));
  // Closed with a linger time of 0, the accepted socket resets the connection.
  const linger reset{.l_onoff = 1, .l_linger = 0};
  ASSERT_EQ(::setsockopt(sockets.accepted.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
  sockets.accepted.reset();
  const auto error = net::pending_error(sockets.client.get());
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error(), Errno{ECONNRESET});
  EXPECT_TRUE(net::pending_error(sockets.client.get()));
}

TEST(NetSocket, ShutDownSendingTheOtherWayStaysOpen) {
  const Connected sockets = connect_to("127.0.0.1:0");
  ASSERT_TRUE(net::shutdown_sending(sockets.accepted.get()));
  char byte = 'x';
  EXPECT_EQ(::recv(sockets.client.get(), &byte, 1, 0), 0);
  EXPECT_EQ(::send(sockets.client.get(), &byte, 1, MSG_NOSIGNAL), 1);
  EXPECT_EQ(::recv(sockets.accepted.get(), &byte, 1, 0), 1);

  const UniqueFd unconnected(::socket(AF_INET, SOCK_STREAM, 0));
  const auto shut = net::shutdown_sending(unconnected.get());
  ASSERT_FALSE(shut);
  EXPECT_EQ(shut.error(), Errno{ENOTCONN});
}
