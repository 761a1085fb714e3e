#include "common/net/socket.hpp"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>

namespace net {
namespace {

using GetName = int (*)(int, sockaddr*, socklen_t*);

base::Result<Address> name_of(int fd, GetName get_name) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (get_name(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    return base::fail(base::last_error());
  }
  const auto address = Address::from_sockaddr(storage, size);
  return address ? base::Result<Address>(*address) : base::fail(EAFNOSUPPORT);
}

}  // namespace

base::Result<void> set_option(int fd, int level, int name, int value) {
  if (::setsockopt(fd, level, name, &value, sizeof value) != 0) {
    return base::fail(base::last_error());
  }
  return {};
}

base::Result<int> get_option(int fd, int level, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  if (::getsockopt(fd, level, name, &value, &size) != 0) {
    return base::fail(base::last_error());
  }
  return value;
}

base::Result<void> set_nodelay(int fd, bool on) {
  return set_option(fd, IPPROTO_TCP, TCP_NODELAY, on ? 1 : 0);
}

base::Result<void> set_send_buffer(int fd, int bytes) {
  return set_option(fd, SOL_SOCKET, SO_SNDBUF, bytes);
}

base::Result<void> set_receive_buffer(int fd, int bytes) {
  return set_option(fd, SOL_SOCKET, SO_RCVBUF, bytes);
}

base::Result<void> pending_error(int fd) {
  const auto error = get_option(fd, SOL_SOCKET, SO_ERROR);
  if (!error) {
    return base::fail(error.error());
  }
  return *error == 0 ? base::Result<void>{} : base::fail(*error);
}

base::Result<void> shutdown_sending(int fd) {
  if (::shutdown(fd, SHUT_WR) != 0) {
    return base::fail(base::last_error());
  }
  return {};
}

base::Result<int> unacknowledged_bytes(int fd) {
  int bytes = 0;
  if (::ioctl(fd, SIOCOUTQ, &bytes) != 0) {
    return base::fail(base::last_error());
  }
  return bytes;
}

base::Result<Address> local_address(int fd) {
  return name_of(fd, ::getsockname);
}

base::Result<Address> peer_address(int fd) {
  return name_of(fd, ::getpeername);
}

}  // namespace net
