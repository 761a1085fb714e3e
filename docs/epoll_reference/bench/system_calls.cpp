#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <memory>
#include <utility>

#include "common/base/check.hpp"
#include "common/base/unique_fd.hpp"
#include "common/net/address.hpp"
#include "common/net/listener.hpp"
#include "common/net/socket.hpp"
#include "docs/epoll_reference/bench/contenders.hpp"

namespace epoll_reference {
namespace {

// A set with one descriptor that is never readable.
struct QuietSet {
  base::UniqueFd epoll;
  base::UniqueFd event;
};

base::Result<std::shared_ptr<QuietSet>> make_quiet_set() {
  auto set = std::make_shared<QuietSet>();
  set->epoll.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!set->epoll.valid()) {
    return base::fail(base::last_error());
  }
  set->event.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!set->event.valid()) {
    return base::fail(base::last_error());
  }
  epoll_event event{};
  event.events = EPOLLIN;
  if (::epoll_ctl(set->epoll.get(), EPOLL_CTL_ADD, set->event.get(), &event) != 0) {
    return base::fail(base::last_error());
  }
  return set;
}

struct Connection {
  base::UniqueFd client;
  base::UniqueFd server;
};

base::Result<std::shared_ptr<Connection>> connect_over_loopback() {
  auto listener = net::listen(*net::Address::parse("127.0.0.1", 0), {.blocking = true});
  if (!listener) {
    return base::fail(listener.error());
  }
  auto connection = std::make_shared<Connection>();
  connection->client.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!connection->client.valid() || ::connect(connection->client.get(), listener->address.data(),
                                               listener->address.size()) != 0) {
    return base::fail(base::last_error());
  }
  connection->server.reset(::accept4(listener->fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!connection->server.valid()) {
    return base::fail(base::last_error());
  }
  if (const auto set = net::set_nodelay(connection->client.get(), true); !set) {
    return base::fail(set.error());
  }
  return connection;
}

}  // namespace

Contender empty_system_call() {
  return {.name = "empty system call (getppid)", .run = [](std::uint64_t operations) {
            for (std::uint64_t i = 0; i < operations; ++i) {
              ::syscall(SYS_getppid);
            }
          }};
}

base::Result<Contender> empty_epoll_wait() {
  const auto set = make_quiet_set();
  if (!set) {
    return base::fail(set.error());
  }
  return Contender{.name = "epoll_wait, nothing ready",
                   .run = [set = *set](std::uint64_t operations) {
                     std::array<epoll_event, 64> events;
                     for (std::uint64_t i = 0; i < operations; ++i) {
                       CHECK(::epoll_wait(set->epoll.get(), events.data(), 64, 0) == 0);
                     }
                   }};
}

// To and fro: two calls, like arming and disarming EPOLLOUT.
base::Result<Contender> epoll_ctl_modify() {
  const auto set = make_quiet_set();
  if (!set) {
    return base::fail(set.error());
  }
  return Contender{
      .name = "epoll_ctl, EPOLL_CTL_MOD", .run = [set = *set](std::uint64_t operations) {
        epoll_event event{};
        for (std::uint64_t i = 0; i < operations; ++i) {
          event.events = i % 2 == 0 ? EPOLLIN | EPOLLRDHUP : EPOLLIN;
          CHECK(::epoll_ctl(set->epoll.get(), EPOLL_CTL_MOD, set->event.get(), &event) == 0);
        }
      }};
}

base::Result<Contender> loopback_send_and_receive() {
  const auto connection = connect_over_loopback();
  if (!connection) {
    return base::fail(connection.error());
  }
  return Contender{.name = "send and recv of 64 bytes over loopback",
                   .run = [connection = *connection](std::uint64_t operations) {
                     std::array<std::byte, 64> message{};
                     for (std::uint64_t i = 0; i < operations; ++i) {
                       CHECK(::send(connection->client.get(), message.data(), message.size(),
                                    MSG_NOSIGNAL) == 64);
                       CHECK(::recv(connection->server.get(), message.data(), message.size(),
                                    MSG_WAITALL) == 64);
                     }
                   }};
}

}  // namespace epoll_reference
