#pragma once
// What SIGUSR1 prints about the connections.

#include <cstdint>
#include <string>

#include "docs/epoll_reference/server/connection.hpp"
#include "docs/epoll_reference/server/protocol.hpp"

namespace epoll_reference {

// The table of the connections from `first` on.
[[nodiscard]] std::string connection_table(const Connection* first, const Protocol& protocol,
                                           std::uint64_t now_ns);

}  // namespace epoll_reference
