#pragma once
// An EchoServer whose operations end as the test says: see tests/forged/forged_server.hpp.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "m3_network_server/echo_server.hpp"
#include "m3_network_server/options.hpp"
#include "tests/forged/forged_server.hpp"

namespace m3_test {

using forged::Client;
using forged::Operation;

inline constexpr std::uint32_t kBufferBytes = 64;

// Options without any timeouts, and with small buffers.
[[nodiscard]] network_server::EchoOptions forged_options();

class ForgedEcho : public forged::ForgedServer {
 public:
  // `masked`: features that this kernel does not have, as in URING_DISABLE.
  explicit ForgedEcho(const network_server::EchoOptions& options, std::string_view masked = "");
  // Drains, and checks that all buffers come back.
  ~ForgedEcho() override;

  // All of this arrives, and it turns.
  void arrive(const Client& client, std::string_view text);
  // Goes on as a kernel and a willing client would, until the client has this many bytes.
  void serve(Client& client, std::size_t bytes);
  // Both, in turns, as the server asks for it: until the client has it back.
  void echo(Client& client, std::string_view text);

  // The POLL_ADD for POLLIN or POLLOUT, if it is in flight.
  [[nodiscard]] std::optional<Operation> poll_of(const Client& client, std::uint32_t event) const;
  // It ends with that event, and turns.
  void end_poll(const Operation& poll);

  [[nodiscard]] std::size_t buffers_with_kernel() { return provided().count(); }
  // Of the protocol's report.
  [[nodiscard]] std::uint64_t counter(std::string_view name) const;
  [[nodiscard]] network_server::EchoServer::Server& inside() { return *server_; }

 protected:
  // It need not receive: there may be no buffer for it.
  [[nodiscard]] std::uint32_t slot_of(int fd) const override;

 private:
  [[nodiscard]] bool can_receive(const Client& client);
  void send_some(Client& client);
  [[nodiscard]] int run_server(const network_server::EchoOptions& options,
                               const uring::Features& features);

  // The server's, while it runs.
  const network_server::EchoServer* protocol_ = nullptr;
  network_server::EchoServer::Server* server_ = nullptr;
  std::uint32_t buffers_left_ = 0;  // that have not come back
};

}  // namespace m3_test
