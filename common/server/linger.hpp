#pragma once
// The polite end of a connection: Server::finish().
//
// KERNEL: to close a socket with bytes in it that nobody has received is a reset, and a reset
// throws away what the peer has not received of our answer. So when all is sent, our side is shut
// down (the peer sees the end), and what still comes is received and thrown away until there is no
// more.
//
// KERNEL: IORING_OP_SHUTDOWN always goes to a worker thread, which costs many times what shutdown(2)
// does; the call never waits, so it is made here. Of a socket without a descriptor only the ring can
// shut a side down; and nobody can be asked what has arrived, so only the client, or the longest
// time, ends its lingering.

#include <array>
#include <cstddef>
#include <cstdint>

#include "common/loop/event_loop.hpp"
#include "common/server/connection.hpp"
#include "common/server/sockets.hpp"

namespace server {

class Linger {
 public:
  // How long a silence is, and how many of them are the longest time.
  static constexpr std::uint64_t kSilenceNs = 200'000'000;
  static constexpr std::uint8_t kMostChecks = 10;

  enum class Verdict : std::uint8_t { Wait, Done, Error };

  // Both must outlive it.
  Linger(loop::EventLoop& loop, const Sockets& sockets) : loop_(loop), sockets_(sockets) {}
  Linger(const Linger&) = delete;
  Linger& operator=(const Linger&) = delete;

  // Shuts our side down and arms the first RECV: two operations at most. No bytes are waiting to be
  // sent.
  void begin(Connection& connection, std::uint32_t slot);

  // Its completion, of a connection that is not closing.
  [[nodiscard]] Verdict on_discarded(Connection& connection, std::uint32_t slot, std::int32_t res);

  // A silence may be over: Done at the end of the longest time, or when it was one.
  [[nodiscard]] Verdict check(Connection& connection, std::uint64_t now_ns) const;

  // Nothing came or went for a moment, and what we have sent has arrived (our FIN is a byte, too).
  [[nodiscard]] bool is_quiet(const Connection& connection, std::uint64_t now_ns) const;

 private:
  void arm_discard(Connection& connection, std::uint32_t slot);

  loop::EventLoop& loop_;
  const Sockets& sockets_;
  // One for all connections: the kernel writes into it for several at a time, and nobody reads it.
  std::array<std::byte, 16 << 10> discarded_;
};

}  // namespace server
