#pragma once
// What the file server can be told on its command line, beside what every server takes.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "common/http/limits.hpp"
#include "common/support/server_options.hpp"

namespace file_server {

inline constexpr std::uint16_t kMostReadAhead = 16;

struct ServeOptions {
  support::ServerOptions server;
  std::string root;  // empty: the bundled example
  std::chrono::nanoseconds header_timeout = std::chrono::seconds(10);
  http::Limits limits;
  std::size_t file_cache = 1000;  // files kept open, and places in the table of registered files
  // 96 buffers of 64 KiB with their head room are 6.4 MiB: below the 8 MiB of locked memory that a
  // user has by default, with room for the rings.
  std::uint16_t buffers = 96;
  std::size_t buffer_size = 64 << 10;
  std::uint16_t read_ahead = 4;  // buffers that one connection may hold
  bool direct = false;
  bool fixed_buffers = true;
  bool registered_files = true;
  bool splice = false;
};

// A status: the program ends with it. Nothing: go on.
[[nodiscard]] std::optional<int> parse_serve_options(const char* program, int argc, char** argv,
                                                     ServeOptions& options);

}  // namespace file_server
