#include "common/server/linger.hpp"

#include <sys/socket.h>

#include <cerrno>

#include "common/net/socket.hpp"
#include "common/server/operations.hpp"
#include "common/uring/prep.hpp"

namespace server {

void Linger::begin(Connection& connection, std::uint32_t slot) {
  connection.lingering = true;
  connection.linger_checks = 0;
  // ENOTCONN if it has been reset: the RECV learns it, too.
  if (sockets_.direct) {
    uring::io_uring_sqe& shutdown = loop_.arm(slot, kShutdown);
    uring::prep_shutdown(shutdown, connection.fd, SHUT_WR);
    sockets_.use(shutdown);
  } else {
    (void)net::shutdown_sending(connection.fd);
  }
  arm_discard(connection, slot);
}

void Linger::arm_discard(Connection& connection, std::uint32_t slot) {
  connection.discarding = true;
  uring::io_uring_sqe& discard = loop_.arm(slot, kDiscard);
  uring::prep_recv(discard, connection.fd, discarded_, 0);
  sockets_.use(discard);
}

// One RECV per completion, at most a buffer full: a client that never stops sending has its turn as
// everyone else, and no more.
Linger::Verdict Linger::on_discarded(Connection& connection, std::uint32_t slot, std::int32_t res) {
  connection.discarding = false;
  if (res == 0) {
    return Verdict::Done;
  }
  if (res < 0 && res != -EAGAIN && res != -EINTR) {
    return Verdict::Error;
  }
  arm_discard(connection, slot);
  return Verdict::Wait;
}

Linger::Verdict Linger::check(Connection& connection, std::uint64_t now_ns) const {
  const bool is_over = ++connection.linger_checks == kMostChecks || is_quiet(connection, now_ns);
  return is_over ? Verdict::Done : Verdict::Wait;
}

bool Linger::is_quiet(const Connection& connection, std::uint64_t now_ns) const {
  return !sockets_.direct && now_ns - connection.active_ns >= kSilenceNs &&
         net::unacknowledged_bytes(connection.fd).value_or(0) == 0;
}

}  // namespace server
