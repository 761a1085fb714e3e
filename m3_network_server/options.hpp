#pragma once
// What the network server can be told on its command line, beside what every server takes.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "common/support/server_options.hpp"

namespace network_server {

inline constexpr std::uint32_t kMostBuffers = 32768;  // KERNEL: in one group
inline constexpr std::uint16_t kMostSendBuffers = 64;

struct EchoOptions {
  support::ServerOptions server;
  std::uint32_t buffers = 512;  // for all connections together; a power of two
  std::uint32_t buffer_size = 16 << 10;
  std::uint16_t send_buffers = 16;        // that leave in one operation, at most
  std::chrono::nanoseconds batch_wait{};  // 0: never; see BatchWait
  bool single_shot = false;
  bool direct_descriptors = false;
  bool log_states = false;
  std::string trace;  // a file; empty: none
};

// A status: the program ends with it. Nothing: go on.
[[nodiscard]] std::optional<int> parse_echo_options(const char* program, int argc, char** argv,
                                                    EchoOptions& options);

}  // namespace network_server
