// An echo server as good as libuv allows, for epoll_bars to compare with: one read buffer for all
// connections, since a read's data is gone before the next read; a write is tried at once, and only
// what the socket does not take is copied and waits, while reading stops.

#include <uv.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "common/support/options.hpp"

namespace {

struct Server {
  uv_loop_t loop;
  uv_tcp_t listener;
  uv_signal_t terminate;
  std::array<char, 64 * 1024> buffer;
};

// What one write still owes to its socket.
struct Rest {
  uv_write_t request;
  std::string bytes;
};

void check(int status, const char* what) {
  if (status < 0) {
    std::fprintf(stderr, "%s: %s\n", what, uv_strerror(status));
    std::exit(2);
  }
}

void close_connection(uv_stream_t* socket) {
  auto* handle = reinterpret_cast<uv_handle_t*>(socket);
  if (uv_is_closing(handle) == 0) {
    uv_close(handle, [](uv_handle_t* closed) { delete reinterpret_cast<uv_tcp_t*>(closed); });
  }
}

void start_reading(uv_stream_t* socket);

void write_rest(uv_stream_t* socket, const char* bytes, std::size_t size) {
  uv_read_stop(socket);
  auto rest = std::make_unique<Rest>(Rest{.request = {}, .bytes = std::string(bytes, size)});
  const uv_buf_t buffer = uv_buf_init(rest->bytes.data(), static_cast<unsigned>(size));
  rest->request.data = rest.get();
  const int status =
      uv_write(&rest->request, socket, &buffer, 1, [](uv_write_t* request, int result) {
        const std::unique_ptr<Rest> written(static_cast<Rest*>(request->data));
        if (result == 0) {
          start_reading(request->handle);
        } else {
          close_connection(request->handle);
        }
      });
  if (status == 0) {
    rest.release();
  } else {
    close_connection(socket);
  }
}

void on_read(uv_stream_t* socket, ssize_t received, const uv_buf_t* buffer) {
  if (received == 0) {  // nothing there after all
    return;
  }
  if (received < 0) {
    close_connection(socket);
    return;
  }
  const uv_buf_t message = uv_buf_init(buffer->base, static_cast<unsigned>(received));
  const int tried = uv_try_write(socket, &message, 1);
  if (tried == received) {
    return;
  }
  if (tried < 0 && tried != UV_EAGAIN) {
    close_connection(socket);
    return;
  }
  const std::size_t sent = tried > 0 ? static_cast<std::size_t>(tried) : 0;
  write_rest(socket, message.base + sent, message.len - sent);
}

void start_reading(uv_stream_t* socket) {
  const auto shared_buffer = [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
    auto* server = static_cast<Server*>(handle->data);
    *buffer = uv_buf_init(server->buffer.data(), server->buffer.size());
  };
  if (uv_read_start(socket, shared_buffer, on_read) < 0) {
    close_connection(socket);
  }
}

void on_connection(uv_stream_t* listener, int status) {
  if (status < 0) {
    return;
  }
  auto* server = static_cast<Server*>(listener->data);
  auto* socket = new uv_tcp_t;
  uv_tcp_init(&server->loop, socket);
  socket->data = server;
  auto* stream = reinterpret_cast<uv_stream_t*>(socket);
  if (uv_accept(listener, stream) < 0) {
    close_connection(stream);
    return;
  }
  start_reading(stream);
}

void listen_on_loopback(Server& server, std::uint16_t port) {
  sockaddr_in address;
  uv_ip4_addr("127.0.0.1", port, &address);
  uv_tcp_init(&server.loop, &server.listener);
  server.listener.data = &server;
  check(uv_tcp_bind(&server.listener, reinterpret_cast<const sockaddr*>(&address), 0), "bind");
  check(uv_tcp_nodelay(&server.listener, 1), "TCP_NODELAY");  // accepted sockets inherit it
  check(uv_listen(reinterpret_cast<uv_stream_t*>(&server.listener), 4096, on_connection), "listen");
  int size = sizeof address;
  check(uv_tcp_getsockname(&server.listener, reinterpret_cast<sockaddr*>(&address), &size),
        "getsockname");
  std::printf("listening on 127.0.0.1:%u\n", unsigned{ntohs(address.sin_port)});
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  std::uint16_t port = 0;
  const support::Options options(
      "echo_libuv", "Echoes on 127.0.0.1, with libuv, until SIGTERM.",
      {support::Option::integer("port", &port, 0, 65535, "TCP port; 0 lets the kernel choose")});
  if (const auto status = options.parse_main(argc, argv)) {
    return *status;
  }
  std::signal(SIGPIPE, SIG_IGN);  // libuv writes without MSG_NOSIGNAL
  const auto server = std::make_unique<Server>();
  check(uv_loop_init(&server->loop), "the loop");
  listen_on_loopback(*server, port);
  uv_signal_init(&server->loop, &server->terminate);
  uv_signal_start(
      &server->terminate, [](uv_signal_t* handle, int) { uv_stop(handle->loop); }, SIGTERM);
  uv_run(&server->loop, UV_RUN_DEFAULT);
  return 0;
}
