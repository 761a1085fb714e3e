#include "tests/compare/splice_reader.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <vector>

#include "common/base/check.hpp"
#include "common/net/socket.hpp"

namespace splice_cost {
namespace {

constexpr int kReceiveBuffer = 128 << 10;

class Reader {
 public:
  Reader(const net::Address& server, std::uint32_t size) : size_(size), epoll_(::epoll_create1(0)) {
    for (std::size_t i = 0; i < kConnections; ++i) {
      sockets_[i].reset(::socket(server.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
      CHECK(net::set_receive_buffer(sockets_[i].get(), kReceiveBuffer).has_value());
      CHECK(net::set_nodelay(sockets_[i].get(), true).has_value());
      CHECK(::connect(sockets_[i].get(), server.data(), server.size()) == 0, "it listens");
      epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
      CHECK(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, sockets_[i].get(), &event) == 0);
    }
  }

  // Until the server closes.
  void run() {
    std::array<epoll_event, kConnections> events;
    for (;;) {
      const int count =
          ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        if (!read_some(events[static_cast<std::size_t>(i)].data.u64)) {
          return;
        }
      }
    }
  }

 private:
  bool read_some(std::size_t number) {
    const ssize_t got = ::recv(sockets_[number].get(), buffer_.data(), buffer_.size(), 0);
    if (got <= 0) {
      return false;
    }
    received_[number] += static_cast<std::uint32_t>(got);
    if (received_[number] < size_) {
      return true;
    }
    received_[number] = 0;
    return ::send(sockets_[number].get(), "", 1, MSG_NOSIGNAL) == 1;
  }

  std::uint32_t size_;
  base::UniqueFd epoll_;
  Sockets sockets_;
  std::array<std::uint32_t, kConnections> received_{};
  std::vector<char> buffer_ = std::vector<char>(256 << 10);
};

}  // namespace

void read_bodies(const net::Address& server, std::uint32_t size) {
  Reader(server, size).run();
}

}  // namespace splice_cost
