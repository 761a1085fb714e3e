// An echo server as good as standalone Asio allows on epoll, for epoll_bars to compare with: no
// threads and so no locks, the io_context's own executor instead of the type-erased one, handlers
// without reference counts, and a write that is tried at once and becomes asynchronous only for
// what the socket does not take, while nothing is read.

#include <array>
#include <asio.hpp>
#include <cstdint>
#include <cstdio>
#include <exception>

#include "common/support/options.hpp"

namespace {

using asio::ip::tcp;
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;

// Deletes itself at the end of its connection, where none of its handlers is under way.
class Connection {
 public:
  explicit Connection(Socket socket) : socket_(std::move(socket)) { socket_.non_blocking(true); }

  void read() {
    socket_.async_read_some(asio::buffer(buffer_),
                            [this](const asio::error_code& error, std::size_t received) {
                              if (error) {
                                delete this;
                              } else {
                                echo(received);
                              }
                            });
  }

 private:
  void echo(std::size_t size) {
    asio::error_code error;
    const std::size_t sent = socket_.write_some(asio::buffer(buffer_.data(), size), error);
    if (error && error != asio::error::would_block) {
      delete this;
    } else if (sent == size) {
      read();
    } else {
      write(buffer_.data() + sent, size - sent);
    }
  }

  void write(const char* bytes, std::size_t size) {
    asio::async_write(socket_, asio::buffer(bytes, size),
                      [this](const asio::error_code& error, std::size_t) {
                        if (error) {
                          delete this;
                        } else {
                          read();
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
      "echo_asio", "Echoes on 127.0.0.1, with standalone Asio, until SIGTERM.",
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
