#pragma once
// What the file server can be told on its command line, beside what every server takes.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "common/http/limits.hpp"
#include "common/support/server_options.hpp"

namespace epoll_reference {

struct HttpOptions {
  support::ServerOptions server{.port = 8080};
  std::string root;
  std::chrono::nanoseconds header_timeout = std::chrono::seconds(10);
  http::Limits limits;
  std::size_t file_cache = 1000;  // files
  std::uint64_t sendfile_from = 8 << 10;
  bool sendfile = true;
};

// A status: the program ends with it. Nothing: go on.
[[nodiscard]] std::optional<int> parse_http_options(const char* program, int argc, char** argv,
                                                    HttpOptions& options);

}  // namespace epoll_reference
