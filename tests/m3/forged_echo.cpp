#include "tests/m3/forged_echo.hpp"

#include <poll.h>

#include <charconv>
#include <chrono>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "common/base/check.hpp"
#include "common/server/server.hpp"
#include "common/server/sockets.hpp"
#include "common/server/start.hpp"
#include "common/uring/provided_buffers.hpp"

namespace m3_test {

network_server::EchoOptions forged_options() {
  network_server::EchoOptions options;
  options.server.max_connections = 200;
  options.server.idle_timeout = {};
  options.server.drain_timeout = std::chrono::hours(1);
  options.buffers = 64;
  options.buffer_size = kBufferBytes;
  return options;
}

ForgedEcho::ForgedEcho(const network_server::EchoOptions& options, std::string_view masked) {
  const auto mask = uring::parse_feature_mask(masked);
  CHECK(mask.has_value());
  const auto features = mask->none() ? forged::kernel_features() : uring::Features::detect(*mask);
  CHECK(features.has_value());
  start([this, options, features = *features] { return run_server(options, features); });
}

ForgedEcho::~ForgedEcho() {
  drain();
  EXPECT_EQ(buffers_left_, 0U);
}

int ForgedEcho::run_server(const network_server::EchoOptions& options,
                           const uring::Features& features) {
  auto ring = server::create_ring(features);
  CHECK(ring.has_value());
  watch(*ring);
  auto buffers = uring::ProvidedBuffers::create(
      *ring, features, {.count = options.buffers, .buffer_size = options.buffer_size});
  CHECK(buffers.has_value());
  network_server::EchoServer protocol(*buffers, network_server::EchoForm::choose(features, options),
                                      options);
  const server::Sockets sockets{
      .multishot_accept = features.has(uring::Feature::MultishotAccept) && !options.single_shot,
      .direct = options.direct_descriptors};
  network_server::EchoServer::Server server(*ring, protocol, options.server, sockets);
  protocol_ = &protocol;
  server_ = &server;
  const int status = server.run("forged_echo");
  buffers_left_ = buffers->count() - buffers->with_kernel() - buffers->queued();
  return status;
}

std::uint32_t ForgedEcho::slot_of(int fd) const {
  const loop::SlotPool& slots = server_->loop().slots();
  std::uint32_t slot = 0;
  while (!slots.is_open(slot) || server_->connection(slot).fd != fd) {
    ++slot;
    CHECK(slot < slots.capacity(), "the server has not opened a connection");
  }
  return slot;
}

std::optional<Operation> ForgedEcho::poll_of(const Client& client, std::uint32_t event) const {
  for (const Operation& operation : in_flight()) {
    if (operation.sqe.opcode == uring::IORING_OP_POLL_ADD && operation.id().slot == client.slot &&
        (operation.sqe.poll32_events & event) != 0) {
      return operation;
    }
  }
  return std::nullopt;
}

void ForgedEcho::end_poll(const Operation& poll) {
  end(take(poll), static_cast<std::int32_t>(poll.sqe.poll32_events));
  turn();
}

// Where a RECV does not wait itself a POLL_ADD does.
bool ForgedEcho::can_receive(const Client& client) {
  if (const auto poll = poll_of(client, POLLIN)) {
    end_poll(*poll);
  }
  return count(client, uring::IORING_OP_RECV) > 0;
}

void ForgedEcho::send_some(Client& client) {
  if (const auto poll = poll_of(client, POLLOUT)) {
    end_poll(*poll);
  } else {
    send(client);
  }
}

void ForgedEcho::arrive(const Client& client, std::string_view text) {
  while (!text.empty()) {
    if (!can_receive(client)) {
      turn();
    }
    const std::size_t taken = deliver(client, text);
    CHECK(taken > 0, "there are no buffers");
    text.remove_prefix(taken);
  }
  turn();
}

void ForgedEcho::serve(Client& client, std::size_t bytes) {
  while (client.received.size() < bytes) {
    send_some(client);
  }
}

void ForgedEcho::echo(Client& client, std::string_view text) {
  const std::size_t bytes = client.received.size() + text.size();
  while (client.received.size() < bytes) {
    if (!text.empty() && can_receive(client)) {
      text.remove_prefix(deliver(client, text));
      turn();
    } else {
      send_some(client);
    }
  }
}

std::uint64_t ForgedEcho::counter(std::string_view name) const {
  const std::string report = protocol_->report_counters();
  const std::string line = "\n" + std::string(name) + " ";
  const std::size_t found = ("\n" + report).find(line);
  CHECK(found != std::string::npos, "the report has no such counter");
  std::size_t begin = found + line.size() - 1;
  begin = report.find_first_not_of(' ', begin);
  std::uint64_t value = 0;
  std::from_chars(report.data() + begin, report.data() + report.size(), value);
  return value;
}

}  // namespace m3_test
