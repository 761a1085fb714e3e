#pragma once
// A listening TCP socket, ready to be accepted from: by accept4(), by epoll or by a ring.

#include <cstdint>
#include <expected>
#include <string>

#include "common/base/errno.hpp"
#include "common/base/unique_fd.hpp"
#include "common/net/address.hpp"

namespace net {

struct ListenOptions {
  // How many connections may wait to be accepted. The kernel cuts it down to net.core.somaxconn
  // (4096 where nobody has changed it), so by default we ask for more and get what the machine
  // allows.
  int backlog = 65535;
  // Whether accept() on it waits. It says nothing of the accepted sockets: those get SOCK_NONBLOCK
  // from accept4() or not at all.
  bool blocking = false;
};

struct Listener {
  base::UniqueFd fd;
  Address address;  // what it is bound to, with the port that the kernel chose if 0 was asked for
};

// The socket is closed by an exec. On it are set, and why:
// - SO_REUSEADDR: a server that is started again can bind while connections of its predecessor are
//   in TIME_WAIT. It does not let two listeners share a port.
// - TCP_NODELAY: an answer must not wait for the ACK of the one before. KERNEL: accepted sockets
//   inherit it, which saves a system call for each.
// - IPV6_V6ONLY: [::] takes IPv6 and nothing else, whatever net.ipv6.bindv6only says. So a peer is
//   never "::ffff:127.0.0.1", and 0.0.0.0 can be bound to the same port beside it.
//
// EADDRINUSE: the port is taken. EADDRNOTAVAIL: the address is not of this machine. EACCES: a port
// below net.ipv4.ip_unprivileged_port_start. EAFNOSUPPORT: no IPv6 here. EMFILE, ENFILE, ENOBUFS,
// ENOMEM.
[[nodiscard]] base::Result<Listener> listen(const Address& address,
                                            const ListenOptions& options = {});

// The same as a command line says it: --bind and --port. An error is a sentence.
[[nodiscard]] std::expected<Listener, std::string> listen(const std::string& bind,
                                                          std::uint16_t port,
                                                          const ListenOptions& options = {});

}  // namespace net
