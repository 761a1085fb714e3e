#pragma once
// What the tests with forged completions share.

#include <cstdint>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "tests/forged/forged_case.hpp"
#include "tests/m2/forged_server.hpp"
#include "tests/m2/site.hpp"

namespace m2_test {

struct Answer {
  std::string_view head;
  std::string_view body;

  [[nodiscard]] std::string_view status() const { return head.substr(9, 3); }
};

// Of one response, or of its beginning.
[[nodiscard]] inline Answer split(std::string_view received) {
  const std::size_t end = received.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    return {.head = received, .body = {}};
  }
  return {.head = received.substr(0, end), .body = received.substr(end + 4)};
}

class ForgedCase : public forged::ForgedCase<ForgedServer> {
 protected:
  void start(const file_server::ServeOptions& options = forged_options(),
             std::uint32_t places = 0) {
    start_server(site_.folder(), options, places);
  }

  // A connection that has asked for this file, whose first READ is in flight.
  [[nodiscard]] Client ask(std::string_view path) {
    Client client = server_->connect();
    ask_again(client, path);
    return client;
  }
  void ask_again(Client& client, std::string_view path) {
    client.received.clear();
    server_->get(client, path);
    if (server_->count(client, uring::IORING_OP_OPENAT2) > 0) {
      server_->open(client);
    }
  }

  // Ends a READ of the client's, with less than it asked for or an error, and turns.
  void read(const Client& client, std::size_t most = SIZE_MAX) {
    server_->read(server_->take(client, uring::IORING_OP_READ), most);
    server_->turn();
  }

  // Goes on until the client has a head and so much of a body.
  void serve(Client& client, std::size_t body_bytes) {
    server_->serve(client, 1);
    while (client.received.find("\r\n\r\n") == std::string::npos) {
      server_->serve(client, client.received.size() + 1);
    }
    server_->serve(client, split(client.received).head.size() + 4 + body_bytes);
  }

  // It has got this file, and is asked for the next request.
  void expect_file(const Client& client, std::string_view content) const {
    const Answer answer = split(client.received);
    EXPECT_EQ(answer.status(), "200");
    EXPECT_NE(answer.head.find("Content-Length: " + std::to_string(content.size())),
              std::string_view::npos)
        << answer.head;
    EXPECT_TRUE(answer.body == content) << "the bytes differ";
    expect_waits_for_a_request(client);
  }
  void expect_waits_for_a_request(const Client& client) const {
    EXPECT_EQ(count(client, uring::IORING_OP_RECV), 1U);
    EXPECT_EQ(count(client, uring::IORING_OP_SEND), 0U);
    EXPECT_EQ(count(client, uring::IORING_OP_READ), 0U);
    EXPECT_FALSE(server_->has_closed(client));
  }
  // What was sent is the beginning of this answer, and then the connection was closed.
  void expect_broken_off(const Client& client, std::string_view content) const {
    const Answer answer = split(client.received);
    EXPECT_LT(answer.body.size(), content.size());
    EXPECT_TRUE(content.starts_with(answer.body)) << "bytes that are not the file's";
    EXPECT_TRUE(server_->has_closed(client));
  }
  void expect_all_buffers_free() const {
    EXPECT_EQ(server_->buffers().count(file_server::BufferState::Free), server_->buffers().size());
  }

  Site site_;
};

}  // namespace m2_test
