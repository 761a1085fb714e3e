#pragma once
// The client's side of splice_cost.

#include <array>
#include <cstddef>
#include <cstdint>

#include "common/base/unique_fd.hpp"
#include "common/net/address.hpp"

namespace splice_cost {

inline constexpr std::size_t kConnections = 64;
using Sockets = std::array<base::UniqueFd, kConnections>;

// Connects, reads, and sends a byte back for every `size` bytes. Returns when the server closes.
//
// What the receiver's window does not take waits in the sender's socket, and is sent when
// acknowledgements come: on the receiver's CPU, if that is in the same machine. The receive buffers
// have a fixed size, so that this is the same share of every way to send.
void read_bodies(const net::Address& server, std::uint32_t size);

}  // namespace splice_cost
