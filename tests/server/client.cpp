#include "tests/server/client.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <vector>

#include "common/base/check.hpp"
#include "common/base/errno.hpp"

namespace server_test {
namespace {

// A call that waits with a time limit (SO_RCVTIMEO) is not restarted when it is interrupted. Seen here
// after Features::detect(), which makes rings and closes them.
template <class Call>
ssize_t uninterrupted(Call call) {
  while (true) {
    const ssize_t result = call();
    if (result >= 0 || base::last_error().value != EINTR) {
      return result;
    }
  }
}

}  // namespace

Client::Client(const net::Address& address)
    : fd_(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const timeval patience{.tv_sec = 20, .tv_usec = 0};
  CHECK(::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0);
  CHECK(::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0);
  refused_ = ::connect(fd_.get(), address.data(), address.size()) != 0;
}

bool Client::send(std::string_view bytes) const {
  return uninterrupted(
             [&] { return ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL); }) >= 0;
}

std::string Client::receive(std::size_t size) const {
  std::string bytes(size, '\0');
  std::size_t received = 0;
  while (received < size) {
    const ssize_t count = receive_some(bytes.data() + received, size - received);
    if (count <= 0) {
      break;
    }
    received += static_cast<std::size_t>(count);
  }
  bytes.resize(received);
  return bytes;
}

ssize_t Client::receive_some(char* into, std::size_t size) const {
  return uninterrupted([&] { return ::recv(fd_.get(), into, size, 0); });
}

std::string Client::ask(std::string_view bytes) const {
  send(bytes);
  return receive(bytes.size());
}

Rest Client::receive_to_the_end() const {
  Rest rest;
  std::vector<char> buffer(64 << 10);
  while (true) {
    const ssize_t count = receive_some(buffer.data(), buffer.size());
    if (count <= 0) {
      rest.error = count == 0 ? 0 : base::last_error().value;
      return rest;
    }
    rest.bytes += static_cast<std::size_t>(count);
  }
}

bool Client::hears_within(int timeout_ms) const {
  pollfd entry{.fd = fd_.get(), .events = POLLIN, .revents = 0};
  return uninterrupted([&] { return ::poll(&entry, 1, timeout_ms); }) == 1;
}

void Client::reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  CHECK(::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
  close();
}

}  // namespace server_test
