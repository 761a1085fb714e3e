#pragma once
// The options that every server takes, and their rows on the command line.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "common/support/options.hpp"

namespace support {

struct ServerOptions {
  std::uint16_t port = 0;  // each server sets its own default before it parses
  std::string bind = "127.0.0.1";
  std::uint32_t max_connections = 10'000;
  std::chrono::nanoseconds idle_timeout = std::chrono::seconds(30);  // 0: never
  std::chrono::nanoseconds idle_timeout_jitter{0};
  std::size_t max_buffered = 256 << 10;  // bytes that wait for one client; see max_buffered_row()
  std::chrono::nanoseconds drain_timeout = std::chrono::seconds(5);
  std::chrono::nanoseconds stats_interval{0};  // 0: off
};

// The rows for `options`, with its values as the defaults, followed by the server's own:
//   support::Options(program, summary, server_option_rows(options, {Option::text("root", ...)}))
// `options` must outlive them.
[[nodiscard]] std::vector<Option> server_option_rows(ServerOptions& options,
                                                     std::initializer_list<Option> own_rows);

// The row for ServerOptions::max_buffered. Not one of the above: a server that lends buffers out of
// a pool has other limits.
[[nodiscard]] Option max_buffered_row(ServerOptions& options);

}  // namespace support
