#pragma once
// An IPv4 or IPv6 address with a port, as a value of 28 bytes. No names are looked up: that would
// block (or need a thread), and a server binds to an address.

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace net {

class Address {
 public:
  // 0.0.0.0:0
  Address() : v4_{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {}, .sin_zero = {}} {}

  // "127.0.0.1", "127.0.0.1:80", "::1", "[::1]", "[::1]:80", and "localhost" for 127.0.0.1, with or
  // without a port. `default_port` is taken where the text has none. Nothing if the text is
  // anything else: octets are decimal and without leading zeros, and an IPv6 scope ("%eth0") is not
  // read.
  [[nodiscard]] static std::optional<Address> parse(std::string_view text,
                                                    std::uint16_t default_port = 0);

  // What accept4(), getsockname() and getpeername() write. Nothing if it is of another family
  // (AF_UNIX, AF_UNSPEC) or shorter than its family needs.
  [[nodiscard]] static std::optional<Address> from_sockaddr(const sockaddr_storage& storage,
                                                            socklen_t size);

  // For bind() and connect(). Points into this object.
  [[nodiscard]] const sockaddr* data() const { return &any_; }
  [[nodiscard]] socklen_t size() const { return is_v6() ? sizeof v6_ : sizeof v4_; }

  [[nodiscard]] bool is_v6() const { return any_.sa_family == AF_INET6; }
  [[nodiscard]] int family() const { return any_.sa_family; }
  // In the machine's byte order.
  [[nodiscard]] std::uint16_t port() const;
  void set_port(std::uint16_t port);

  // "127.0.0.1:80" or "[::1]:80": what parse() reads. The scope of a link-local address is left
  // out.
  [[nodiscard]] std::string to_string() const;

 private:
  // All three begin with the family, so that reading it through any of them is defined.
  union {
    sockaddr any_;
    sockaddr_in v4_;
    sockaddr_in6 v6_;
  };
};

static_assert(sizeof(Address) == 28);

}  // namespace net
