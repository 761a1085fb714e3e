#include "common/net/listener.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include "common/net/socket.hpp"

namespace net {
namespace {

base::Result<void> set_listener_options(int fd, const Address& address) {
  if (const auto set = set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1); !set) {
    return set;
  }
  if (address.is_v6()) {
    if (const auto set = set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1); !set) {
      return set;
    }
  }
  return set_nodelay(fd, true);
}

}  // namespace

base::Result<Listener> listen(const Address& address, const ListenOptions& options) {
  const int mode = SOCK_STREAM | SOCK_CLOEXEC | (options.blocking ? 0 : SOCK_NONBLOCK);
  base::UniqueFd fd(::socket(address.family(), mode, IPPROTO_TCP));
  if (!fd.valid()) {
    return base::fail(base::last_error());
  }
  if (const auto set = set_listener_options(fd.get(), address); !set) {
    return base::fail(set.error());
  }
  if (::bind(fd.get(), address.data(), address.size()) != 0 ||
      ::listen(fd.get(), options.backlog) != 0) {
    return base::fail(base::last_error());
  }
  const auto bound = local_address(fd.get());
  if (!bound) {
    return base::fail(bound.error());
  }
  return Listener{.fd = std::move(fd), .address = *bound};
}

std::expected<Listener, std::string> listen(const std::string& bind, std::uint16_t port,
                                            const ListenOptions& options) {
  const auto address = Address::parse(bind);
  if (!address || address->port() != 0) {
    return std::unexpected(
        "option '--bind' needs an IPv4 or IPv6 address, and the port goes to "
        "'--port', not '" +
        bind + "'");
  }
  Address wanted = *address;
  wanted.set_port(port);
  auto listener = listen(wanted, options);
  if (!listener) {
    return std::unexpected("cannot listen on " + wanted.to_string() + ": " +
                           listener.error().message());
  }
  return std::move(*listener);
}

}  // namespace net
