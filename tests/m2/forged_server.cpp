#include "tests/m2/forged_server.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <span>
#include <utility>

#include <gtest/gtest.h>

#include "common/base/check.hpp"
#include "common/server/server.hpp"
#include "common/server/start.hpp"
#include "common/uring/registered_files.hpp"
#include "m2_file_server/file_server.hpp"

namespace m2_test {

file_server::ServeOptions forged_options() {
  file_server::ServeOptions options;
  options.server.max_connections = 16;
  options.server.idle_timeout = {};
  options.server.drain_timeout = std::chrono::hours(1);
  options.header_timeout = {};
  options.file_cache = 8;
  options.buffers = 8;
  options.fixed_buffers = false;
  options.buffer_size = 4096;
  return options;
}

ForgedServer::ForgedServer(const std::string& root, const file_server::ServeOptions& options,
                           std::uint32_t places)
    : root_(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
  CHECK(root_.valid());
  // Asked for here, since whoever asks enters rings.
  const uring::Features& features = forged::kernel_features();
  start([this, options, &features, places] { return run_server(options, features, places); });
}

ForgedServer::~ForgedServer() {
  drain();
  EXPECT_EQ(buffers_left_, 0);
}

int ForgedServer::run_server(const file_server::ServeOptions& options,
                             const uring::Features& features, std::uint32_t places) {
  auto ring = server::create_ring(features);
  auto buffers = file_server::BufferPool::create(options.buffers, options.buffer_size);
  CHECK(ring.has_value() && buffers.has_value());
  if (options.fixed_buffers) {
    CHECK(buffers->register_with(*ring).has_value());
  }
  std::optional<uring::RegisteredFiles> table;
  if (places > 0) {
    auto made = uring::RegisteredFiles::create_sparse(*ring, places);
    CHECK(made.has_value());
    table.emplace(std::move(*made));
  }
  file_server::FileTable files(
      table ? &*table : nullptr,
      {.capacity = options.file_cache, .recheck_ns = ~0ULL, .direct = options.direct});
  file_server::FileServer protocol(root_.get(), *buffers, files, options);
  server::Server<file_server::FileServer> server(*ring, protocol, options.server);
  watch(*ring);
  buffers_ = &*buffers;
  files_ = &files;
  const int status = server.run("forged_server");
  buffers_left_ =
      static_cast<std::uint16_t>(buffers->size() - buffers->count(file_server::BufferState::Free));
  return status;
}

std::optional<std::int32_t> ForgedServer::last_result(const Operation& operation) const {
  switch (operation.sqe.opcode) {
    case uring::IORING_OP_READ:
    case uring::IORING_OP_READ_FIXED:
    case uring::IORING_OP_OPENAT2:
      return -EIO;
    default:
      return forged::ForgedServer::last_result(operation);
  }
}

void ForgedServer::get(const Client& client, std::string_view path) {
  receive(client, "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n");
}

void ForgedServer::open(const Client& client) {
  const Operation operation = take(client, uring::IORING_OP_OPENAT2);
  const long fd = ::syscall(SYS_openat2, operation.sqe.fd, operation.sqe.addr, operation.sqe.off,
                            operation.sqe.len);
  end(operation, static_cast<std::int32_t>(fd == -1 ? -errno : fd));
  turn();
}

void ForgedServer::read(const Operation& operation, std::size_t most) {
  CHECK((operation.sqe.flags & uring::IOSQE_FIXED_FILE) == 0, "this kernel has no table of files");
  const std::span<std::byte> into = operation.memory();
  const ssize_t got = ::pread(operation.sqe.fd, into.data(), std::min(into.size(), most),
                              static_cast<off_t>(operation.sqe.off));
  end(operation, static_cast<std::int32_t>(got == -1 ? -errno : got));
}

void ForgedServer::serve(Client& client, std::size_t bytes) {
  while (client.received.size() < bytes) {
    const std::size_t before = client.received.size();
    if (count(client, uring::IORING_OP_SEND) > 0) {
      send(client);
    } else if (count(client, uring::IORING_OP_POLL_ADD) > 0) {
      end(take(client, uring::IORING_OP_POLL_ADD), POLLOUT);
      turn();
      continue;
    } else {
      read(take(client, uring::IORING_OP_READ));
      turn();
      continue;
    }
    CHECK(client.received.size() > before);
  }
}

}  // namespace m2_test
