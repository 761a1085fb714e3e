// An echo server as good as libevent allows, for epoll_bars to compare with: plain events and
// recv() and send(), because a bufferevent costs two more copies of every byte and more code per
// message. One read buffer for all connections; only what the socket does not take is copied and
// waits, while reading stops.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <memory>
#include <string>

#include "common/support/options.hpp"

namespace {

struct Server {
  event_base* base;
  int listener;
  event accept;
  event terminate;
  std::array<char, 64 * 1024> buffer;
};

struct Connection {
  Server* server;
  event readable;
  event writable;
  std::string rest;  // received, not yet sent
};

void check(bool succeeded, const char* what) {
  if (!succeeded) {
    std::perror(what);
    std::exit(2);
  }
}

bool would_block() {
  return errno == EAGAIN || errno == EINTR;
}

void close_connection(Connection* connection) {
  const int fd = event_get_fd(&connection->readable);
  event_del(&connection->readable);
  event_del(&connection->writable);
  close(fd);
  delete connection;
}

void on_readable(int fd, short, void* argument) {
  auto* connection = static_cast<Connection*>(argument);
  auto& buffer = connection->server->buffer;
  const ssize_t received = recv(fd, buffer.data(), buffer.size(), 0);
  if (received <= 0) {
    if (received == 0 || !would_block()) {
      close_connection(connection);
    }
    return;
  }
  const ssize_t sent = send(fd, buffer.data(), static_cast<std::size_t>(received), MSG_NOSIGNAL);
  if (sent == received) {
    return;
  }
  if (sent < 0 && !would_block()) {
    close_connection(connection);
    return;
  }
  connection->rest.assign(buffer.data() + (sent > 0 ? sent : 0), buffer.data() + received);
  event_del(&connection->readable);
  event_add(&connection->writable, nullptr);
}

void on_writable(int fd, short, void* argument) {
  auto* connection = static_cast<Connection*>(argument);
  std::string& rest = connection->rest;
  const ssize_t sent = send(fd, rest.data(), rest.size(), MSG_NOSIGNAL);
  if (sent < 0 && !would_block()) {
    close_connection(connection);
    return;
  }
  if (sent > 0) {
    rest.erase(0, static_cast<std::size_t>(sent));
  }
  if (rest.empty()) {
    event_del(&connection->writable);
    event_add(&connection->readable, nullptr);
  }
}

void on_connection(int listener, short, void* argument) {
  auto* server = static_cast<Server*>(argument);
  for (;;) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      return;
    }
    auto* connection = new Connection{.server = server, .readable = {}, .writable = {}, .rest = {}};
    event_assign(&connection->readable, server->base, fd, EV_READ | EV_PERSIST, on_readable,
                 connection);
    event_assign(&connection->writable, server->base, fd, EV_WRITE | EV_PERSIST, on_writable,
                 connection);
    event_add(&connection->readable, nullptr);
  }
}

void listen_on_loopback(Server& server, std::uint16_t port) {
  server.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  check(server.listener >= 0, "socket");
  const int on = 1;
  setsockopt(server.listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(server.listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // inherited
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  check(bind(server.listener, generic, size) == 0, "bind");
  check(listen(server.listener, 4096) == 0, "listen");
  check(getsockname(server.listener, generic, &size) == 0, "getsockname");
  event_assign(&server.accept, server.base, server.listener, EV_READ | EV_PERSIST, on_connection,
               &server);
  event_add(&server.accept, nullptr);
  std::printf("listening on 127.0.0.1:%u\n", unsigned{ntohs(address.sin_port)});
  std::fflush(stdout);
}

event_base* make_base() {
  event_config* config = event_config_new();
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
  event_base* base = event_base_new_with_config(config);
  event_config_free(config);
  return base;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint16_t port = 0;
  const support::Options options(
      "echo_libevent", "Echoes on 127.0.0.1, with libevent, until SIGTERM.",
      {support::Option::integer("port", &port, 0, 65535, "TCP port; 0 lets the kernel choose")});
  if (const auto status = options.parse_main(argc, argv)) {
    return *status;
  }
  const auto server = std::make_unique<Server>();
  server->base = make_base();
  check(server->base != nullptr, "the event base");
  listen_on_loopback(*server, port);
  event_assign(
      &server->terminate, server->base, SIGTERM, EV_SIGNAL | EV_PERSIST,
      [](int, short, void* base) { event_base_loopbreak(static_cast<event_base*>(base)); },
      server->base);
  event_add(&server->terminate, nullptr);
  event_base_dispatch(server->base);
  return 0;
}
