#include "common/net/address.hpp"

#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstring>

namespace net {
namespace {

// A host and what stands for the port behind it; no port: nothing behind it.
struct Parts {
  std::string_view host;
  std::optional<std::string_view> port;
};

// A colon parts host and port, but an IPv6 address has colons too: with a port it stands in
// brackets.
std::optional<Parts> split(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    const std::string_view host = text.substr(1, end - 1);
    const std::string_view behind = text.substr(end + 1);
    if (behind.empty()) {
      return Parts{host, std::nullopt};
    }
    return behind.starts_with(':') ? std::optional(Parts{host, behind.substr(1)}) : std::nullopt;
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos) {
    return Parts{text, std::nullopt};
  }
  return Parts{text.substr(0, colon), text.substr(colon + 1)};
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, port);
  return error == std::errc{} && rest == end ? std::optional(port) : std::nullopt;
}

}  // namespace

std::optional<Address> Address::parse(std::string_view text, std::uint16_t default_port) {
  const auto parts = split(text);
  if (!parts) {
    return std::nullopt;
  }
  const auto port = parts->port ? parse_port(*parts->port) : std::optional(default_port);
  if (!port) {
    return std::nullopt;
  }

  // inet_pton() wants a terminated text. INET6_ADDRSTRLEN counts the terminator.
  const std::string_view host = parts->host == "localhost" ? "127.0.0.1" : parts->host;
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (host.size() >= terminated.size() || host.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  host.copy(terminated.data(), host.size());

  Address address;
  in_addr v4{};
  in6_addr v6{};
  if (!text.starts_with('[') && ::inet_pton(AF_INET, terminated.data(), &v4) == 1) {
    address.v4_.sin_addr = v4;
  } else if (::inet_pton(AF_INET6, terminated.data(), &v6) == 1) {
    address.v6_ = {.sin6_family = AF_INET6,
                   .sin6_port = 0,
                   .sin6_flowinfo = 0,
                   .sin6_addr = v6,
                   .sin6_scope_id = 0};
  } else {
    return std::nullopt;
  }
  address.set_port(*port);
  return address;
}

std::optional<Address> Address::from_sockaddr(const sockaddr_storage& storage, socklen_t size) {
  Address address;
  if (storage.ss_family == AF_INET && size >= sizeof address.v4_) {
    std::memcpy(&address.v4_, &storage, sizeof address.v4_);
  } else if (storage.ss_family == AF_INET6 && size >= sizeof address.v6_) {
    std::memcpy(&address.v6_, &storage, sizeof address.v6_);
  } else {
    return std::nullopt;
  }
  return address;
}

std::uint16_t Address::port() const {
  return ntohs(is_v6() ? v6_.sin6_port : v4_.sin_port);
}

void Address::set_port(std::uint16_t port) {
  (is_v6() ? v6_.sin6_port : v4_.sin_port) = htons(port);
}

std::string Address::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> host{};
  if (is_v6()) {
    ::inet_ntop(AF_INET6, &v6_.sin6_addr, host.data(), host.size());
    return "[" + std::string(host.data()) + "]:" + std::to_string(port());
  }
  ::inet_ntop(AF_INET, &v4_.sin_addr, host.data(), host.size());
  return std::string(host.data()) + ":" + std::to_string(port());
}

}  // namespace net
