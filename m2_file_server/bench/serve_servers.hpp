#pragma once
// The three servers as processes.

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "common/base/unique_fd.hpp"
#include "common/net/address.hpp"
#include "m2_file_server/bench/serve_child.hpp"

namespace file_server::serve_bench {

// What is the same for all of them.
struct ServerSetting {
  std::string root;
  std::optional<int> cpu;
};

struct ServerProcess {
  std::string name;
  net::Address address;  // on the loopback interface
  Child child;
  base::UniqueFd output;  // of the ring server, for as long as it may print
};

// Each error is a sentence.
using Started = std::expected<ServerProcess, std::string>;

// This program anew, without a command word. `interrupt_fd` becomes readable when the waiting for
// its first line is to end.
[[nodiscard]] Started start_ring_server(const ServerSetting& setting, int interrupt_fd);
[[nodiscard]] Started start_one_thread(const ServerSetting& setting);
[[nodiscard]] Started start_thread_pool(const ServerSetting& setting, std::uint32_t threads);

// Nothing if it ran until now and ends as a server should: the ring server with status 0, the
// others by our signal.
[[nodiscard]] std::optional<std::string> stop_server(ServerProcess& server);

}  // namespace file_server::serve_bench
