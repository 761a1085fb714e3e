// The echo of echo_asio.cpp on Asio's io_uring backend, for echo_bars to compare with: no threads and
// so no locks, the io_context's own executor, handlers without reference counts. Here nothing is tried
// at once: a write is an operation of the ring like a read, and the sockets stay blocking, for on a
// non-blocking one Asio makes a poll of each operation and then the system call.

#include <array>
#include <asio.hpp>
#include <cstdint>
#include <cstdio>
#include <exception>

#include "common/support/options.hpp"

#ifndef ASIO_HAS_IO_URING_AS_DEFAULT
#error "built without epoll and with io_uring: ASIO_DISABLE_EPOLL, ASIO_HAS_IO_URING"
#endif

namespace {

using asio::ip::tcp;
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;

// Deletes itself at the end of its connection, where none of its handlers is under way.
class Connection {
 public:
  explicit Connection(Socket socket) : socket_(std::move(socket)) {}

  void read() {
    socket_.async_read_some(asio::buffer(buffer_),
                            [this](const asio::error_code& error, std::size_t received) {
                              if (error) {
                                delete this;
                              } else {
                                write(buffer_.data(), received);
                              }
                            });
  }

 private:
  // One operation for what has room, which is all of it as a rule.
  void write(const char* bytes, std::size_t size) {
    socket_.async_write_some(asio::buffer(bytes, size),
                             [this, bytes, size](const asio::error_code& error, std::size_t sent) {
                               if (error) {
                                 delete this;
                               } else if (sent == size) {
                                 read();
                               } else {
                                 write(bytes + sent, size - sent);
                               }
                             });
  }

  Socket socket_;
  std::array<char, 64 * 1024> buffer_;
};

void accept(Acceptor& acceptor) {
  acceptor.async_accept([&acceptor](const asio::error_code& error, Socket socket) {
    if (!error) {
      (new Connection(std::move(socket)))->read();
    }
    accept(acceptor);
  });
}

void serve(std::uint16_t port) {
  asio::io_context context(ASIO_CONCURRENCY_HINT_UNSAFE);
  Acceptor acceptor(context.get_executor(), {asio::ip::address_v4::loopback(), port});
  acceptor.set_option(tcp::no_delay(true));  // accepted sockets inherit it
  accept(acceptor);
  asio::basic_signal_set<Executor> terminate(context.get_executor(), SIGTERM);
  terminate.async_wait([&context](const asio::error_code&, int) { context.stop(); });
  std::printf("listening on 127.0.0.1:%u\n", unsigned{acceptor.local_endpoint().port()});
  std::fflush(stdout);
  context.run();
}

}  // namespace

int main(int argc, char** argv) {
  std::uint16_t port = 0;
  const support::Options options(
      "echo_asio_uring", "Echoes on 127.0.0.1, with standalone Asio on io_uring, until SIGTERM.",
      {support::Option::integer("port", &port, 0, 65535, "TCP port; 0 lets the kernel choose")});
  if (const auto status = options.parse_main(argc, argv)) {
    return *status;
  }
  try {
    serve(port);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 2;
  }
  return 0;
}
