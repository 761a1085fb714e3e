// What stands in the way of ten thousand connections, limit by limit: the facts behind
// docs/ten_thousand_connections.md. Nothing here changes a setting of the machine.

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/errno.hpp"
#include "common/base/unique_fd.hpp"
#include "common/net/address.hpp"
#include "common/net/listener.hpp"
#include "common/net/socket.hpp"

namespace {

using base::UniqueFd;

net::Address loopback(const char* text) {
  return *net::Address::parse(text);
}

UniqueFd client_socket() {
  return UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

// 0, EINPROGRESS, or why not.
int connect_error(int fd, const net::Address& address) {
  return connect(fd, address.data(), address.size()) == 0 ? 0 : base::last_error().value;
}

bool is_connected(int fd, int timeout_ms) {
  pollfd entry{.fd = fd, .events = POLLOUT, .revents = 0};
  return poll(&entry, 1, timeout_ms) == 1 && (entry.revents & (POLLERR | POLLHUP)) == 0;
}

std::size_t count_connected(const std::vector<UniqueFd>& sockets, int timeout_ms) {
  return static_cast<std::size_t>(std::ranges::count_if(
      sockets, [&](const UniqueFd& fd) { return is_connected(fd.get(), timeout_ms); }));
}

// Runs `body` in a child without privilege. Its exit status, 0 if all was as expected.
template <class Body>
int as_nobody(Body body) {
  const pid_t child = fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    if (geteuid() == 0 && setuid(kNobody) != 0) {
      _exit(99);
    }
    _exit(body());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

TEST(ManyConnections, TheSoftLimitOfDescriptorsCanBeRaisedByAnybody) {
  rlimit lowered{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &lowered), 0);
  const int status = as_nobody([hard = lowered.rlim_max] {
    const rlimit low{.rlim_cur = 64, .rlim_max = hard};
    const rlimit high{.rlim_cur = hard, .rlim_max = hard};
    const rlimit beyond{.rlim_cur = hard, .rlim_max = hard + 1};
    if (setrlimit(RLIMIT_NOFILE, &low) != 0) {
      return 1;
    }
    if (setrlimit(RLIMIT_NOFILE, &high) != 0) {
      return 2;  // the soft limit up to the hard one: allowed
    }
    if (setrlimit(RLIMIT_NOFILE, &beyond) == 0) {
      return 3;  // the hard limit: not allowed
    }
    return base::last_error().value == EPERM ? 0 : 4;
  });
  EXPECT_EQ(status, 0);
}

TEST(ManyConnections, TheBacklogIsCutToSomaxconn) {
  int somaxconn = 0;
  std::ifstream("/proc/sys/net/core/somaxconn") >> somaxconn;
  ASSERT_GT(somaxconn, 0);
  const auto listener = net::listen(loopback("127.0.0.1"), {.backlog = somaxconn + 1000});
  ASSERT_TRUE(listener);
  tcp_info info{};
  socklen_t size = sizeof info;
  ASSERT_EQ(getsockopt(listener->fd.get(), IPPROTO_TCP, TCP_INFO, &info, &size), 0);
  // KERNEL(net/ipv4/tcp.c, tcp_get_info): of a listener, unacked and sacked are the accept queue's
  // length and its limit. It is what `ss -ltn` prints as Recv-Q and Send-Q.
  EXPECT_EQ(info.tcpi_sacked, static_cast<std::uint32_t>(somaxconn));
  EXPECT_EQ(info.tcpi_unacked, 0U);
}

TEST(ManyConnections, BeyondTheBacklogAClientWaitsAndIsNotRefused) {
  constexpr std::size_t kBacklog = 4;
  const auto listener = net::listen(loopback("127.0.0.1"), {.backlog = kBacklog});
  ASSERT_TRUE(listener);
  std::vector<UniqueFd> clients;
  for (std::size_t i = 0; i < kBacklog + 3; ++i) {
    clients.push_back(client_socket());
    ASSERT_EQ(connect_error(clients.back().get(), listener->address), EINPROGRESS);
  }
  // The queue holds one more than was asked for; the SYNs of the others are dropped without a word.
  EXPECT_EQ(count_connected(clients, 100), kBacklog + 1);

  // Once there is room, the client's kernel has tried again: after a second, after three ...
  std::vector<UniqueFd> accepted;
  for (std::size_t i = 0; i < kBacklog + 1; ++i) {
    accepted.emplace_back(accept4(listener->fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
    EXPECT_TRUE(accepted.back().valid());
  }
  EXPECT_EQ(count_connected(clients, 8000), clients.size());
}

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51  // Linux 6.3
#endif

TEST(ManyConnections, EachNeedsALocalPortThatIsFreeTowardsThatDestination) {
  const auto listener = net::listen(loopback("127.0.0.1"));
  ASSERT_TRUE(listener);
  net::Address elsewhere = loopback("127.0.0.2");
  elsewhere.set_port(listener->address.port());
  const auto other = net::listen(elsewhere);
  ASSERT_TRUE(other);

  // The last two of the 28,232 ports of net.ipv4.ip_local_port_range, so that they run out at once.
  std::uint32_t lowest = 0;
  std::uint32_t highest = 0;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> lowest >> highest;
  ASSERT_LT(lowest, highest);
  const std::uint32_t range = highest << 16 | (highest - 1);
  std::vector<UniqueFd> clients;
  const auto connect_from_the_range = [&](const net::Address& to) {
    clients.push_back(client_socket());
    const int fd = clients.back().get();
    if (setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range, sizeof range) != 0) {
      return base::last_error().value;
    }
    return connect_error(fd, to);
  };
  const int first = connect_from_the_range(listener->address);
  if (first == ENOPROTOOPT) {
    GTEST_SKIP() << "needs Linux 6.3 for IP_LOCAL_PORT_RANGE";
  }
  EXPECT_EQ(first, EINPROGRESS);
  EXPECT_EQ(connect_from_the_range(listener->address), EINPROGRESS);
  EXPECT_EQ(connect_from_the_range(listener->address), EADDRNOTAVAIL);
  EXPECT_EQ(connect_from_the_range(other->address), EINPROGRESS) << "same ports, another address";
}

// The state of the IPv4 socket with these two ports, as /proc/net/tcp has it; empty if there is none.
std::string tcp_state(std::uint16_t local_port, std::uint16_t remote_port) {
  std::ifstream table("/proc/net/tcp");
  std::string line;
  std::getline(table, line);
  while (std::getline(table, line)) {
    std::istringstream words(line);
    std::string number, local, remote, state;
    words >> number >> local >> remote >> state;
    const auto port_of = [](const std::string& text) {
      return std::strtoul(text.substr(text.find(':') + 1).c_str(), nullptr, 16);
    };
    if (port_of(local) == local_port && port_of(remote) == remote_port) {
      return state;
    }
  }
  return {};
}

TEST(ManyConnections, WhoClosesFirstKeepsThePortInTimeWait) {
  const auto listener = net::listen(loopback("127.0.0.1"), {.blocking = true});
  ASSERT_TRUE(listener);
  UniqueFd client = client_socket();
  ASSERT_EQ(connect_error(client.get(), listener->address), EINPROGRESS);
  UniqueFd server(accept4(listener->fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
  ASSERT_TRUE(server.valid());
  const auto address = net::local_address(client.get());
  ASSERT_TRUE(address);

  client.reset();
  char byte = 0;
  EXPECT_EQ(recv(server.get(), &byte, 1, 0), 0) << "the client's FIN";
  server.reset();

  constexpr const char* kTimeWait = "06";
  std::string state;
  for (int tries = 0; tries < 200 && state != kTimeWait; ++tries) {
    state = tcp_state(address->port(), listener->address.port());
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(state, kTimeWait);
  EXPECT_EQ(tcp_state(listener->address.port(), address->port()), "") << "the server's end is gone";
}

}  // namespace
