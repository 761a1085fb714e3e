#pragma once
// Two ends of a TCP connection over loopback, and ways to fill it and to empty it.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <thread>
#include <vector>

#include "common/base/check.hpp"
#include "common/base/unique_fd.hpp"

namespace kernel_test {

inline base::UniqueFd make_listener(int flags = 0) {
  base::UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  CHECK(::listen(listener.get(), 8) == 0);
  return listener;
}

inline sockaddr_in address_of(const base::UniqueFd& listener) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  CHECK(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  return address;
}

inline base::UniqueFd make_client() {
  base::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  CHECK(fd.valid());
  return fd;
}

inline void connect(const base::UniqueFd& client, const sockaddr_in& address) {
  CHECK(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
}

inline base::UniqueFd connect_to(const base::UniqueFd& listener) {
  base::UniqueFd fd = make_client();
  connect(fd, address_of(listener));
  return fd;
}

struct TcpPair {
  base::UniqueFd near;
  base::UniqueFd far;

  TcpPair() {
    const base::UniqueFd listener = make_listener();
    // Small buffers, or it takes megabytes to fill the connection. The receive buffer must be small
    // before the connection is there.
    const int bytes = 64 * 1024;
    CHECK(::setsockopt(listener.get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) == 0);
    near = connect_to(listener);
    CHECK(::setsockopt(near.get(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes) == 0);
    far.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    CHECK(far.valid());
  }
};

inline void set_nonblocking(int fd) {
  CHECK(::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK) == 0);
}

// Which of `events` are there within the time.
inline short await(int fd, short events, int timeout_ms) {
  pollfd entry{.fd = fd, .events = events, .revents = 0};
  CHECK(::poll(&entry, 1, timeout_ms) >= 0);
  return entry.revents;
}

// Sends until nothing more goes in, also later, when the other side's kernel has taken what it can
// and said so. KERNEL: poll(2) would not do: it keeps POLLOUT back until a good part is free, while
// a send still finds room.
inline void fill(int fd) {
  constexpr auto kLongerThanAnAckIsDelayed = std::chrono::milliseconds(100);
  const std::vector<std::byte> zeros(64 * 1024);
  const auto send = [&] {
    return ::send(fd, zeros.data(), zeros.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0;
  };
  while (send()) {
    while (send()) {
    }
    CHECK(errno == EAGAIN);
    std::this_thread::sleep_for(kLongerThanAnAckIsDelayed);
  }
}

// Receives all that is there.
inline void drain(int fd) {
  std::array<std::byte, 16 * 1024> buffer;
  while (::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT) > 0) {
  }
}

// Ends the connection at once: the other side gets a reset.
inline void reset(base::UniqueFd& fd) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  CHECK(::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
  fd.reset();
}

// Whether the connection's end arrives, with nothing before it.
inline bool sees_the_end(int fd) {
  std::byte byte;
  return await(fd, POLLIN, 10'000) != 0 && ::recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

}  // namespace kernel_test
