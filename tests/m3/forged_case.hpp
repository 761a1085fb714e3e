#pragma once
// What the tests with forged completions share.

#include <poll.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "tests/forged/forged_case.hpp"
#include "tests/m3/forged_echo.hpp"

namespace m3_test {

// Bytes that differ from their neighbours, and from those of another number.
[[nodiscard]] inline std::string some_text(std::size_t size, unsigned number = 0) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) {
    text[i] = static_cast<char>('!' + (i * 7 + i / 90 + number * 31) % 90);
  }
  return text;
}

class ForgedCase : public forged::ForgedCase<ForgedEcho> {
 protected:
  // `masked`: features that this kernel does not have, as in URING_DISABLE.
  void start(const network_server::EchoOptions& options = forged_options(),
             std::string_view masked = "") {
    buffers_ = options.buffers;
    start_server(options, masked);
  }

  // A client that has sent this, with what is echoed in flight.
  [[nodiscard]] Client talker(std::string_view text) {
    const Client client = server_->connect();
    server_->arrive(client, text);
    return client;
  }
  // The client has shut down its side.
  void end_of_stream(const Client& client) { end(client, uring::IORING_OP_RECV, 0); }
  void socket_takes_more(const Client& client) {
    server_->end_poll(server_->poll_of(client, POLLOUT).value());
  }

  [[nodiscard]] std::size_t sends(const Client& client) const {
    return count(client, uring::IORING_OP_SEND) + count(client, uring::IORING_OP_SENDMSG);
  }
  [[nodiscard]] std::size_t receives(const Client& client) const {
    return count(client, uring::IORING_OP_RECV);
  }
  // It waits until its socket takes more.
  [[nodiscard]] bool is_blocked(const Client& client) const {
    return server_->poll_of(client, POLLOUT).has_value();
  }
  // Its SEND or SENDMSG.
  [[nodiscard]] Operation send_of(const Client& client) const {
    const bool one = count(client, uring::IORING_OP_SEND) > 0;
    return server_->find(client, one ? uring::IORING_OP_SEND : uring::IORING_OP_SENDMSG);
  }

  // It has got this, and can send more.
  void expect_echoed(const Client& client, std::string_view text) const {
    EXPECT_EQ(client.received.size(), text.size());
    EXPECT_TRUE(client.received == text) << "the bytes differ";
    EXPECT_EQ(receives(client), 1U);
    EXPECT_EQ(sends(client), 0U);
    EXPECT_FALSE(server_->has_closed(client));
  }
  // All was sent to one that sends no more: it is closed, at once or after a last look for bytes.
  void expect_ends(const Client& client) {
    if (receives(client) > 0) {
      end_of_stream(client);
    }
    server_->turn();
    EXPECT_TRUE(server_->has_closed(client));
  }
  void expect_all_buffers_back() { EXPECT_EQ(server_->buffers_with_kernel(), buffers_); }
  // The others are served as ever.
  void expect_serves() {
    Client client = server_->connect();
    server_->echo(client, "hello");
    EXPECT_EQ(client.received, "hello");
  }

  std::size_t buffers_ = 0;
};

}  // namespace m3_test
