#include "common/server/start.hpp"

#include <cinttypes>
#include <cstdio>

#include "common/net/address.hpp"
#include "common/support/file_limit.hpp"
#include "common/uring/denied.hpp"

namespace server {

std::expected<uring::Ring, std::string> create_ring(const uring::Features& features,
                                                    std::uint32_t sq_entries,
                                                    std::uint32_t cq_entries) {
  auto ring = uring::Ring::create(
      {.sq_entries = sq_entries,
       .cq_entries = cq_entries,
       .setup_flags = uring::IORING_SETUP_SINGLE_ISSUER | uring::IORING_SETUP_DEFER_TASKRUN |
                      uring::IORING_SETUP_COOP_TASKRUN | uring::IORING_SETUP_SUBMIT_ALL},
      features);
  if (!ring) {
    return std::unexpected(uring::explain_setup_failure(ring.error()));
  }
  return std::move(*ring);
}

std::expected<net::Listener, std::string> listen(const support::ServerOptions& options) {
  const auto address = net::Address::parse(options.bind);
  if (!address || address->port() != 0) {
    return std::unexpected(
        "option '--bind' needs an IPv4 or IPv6 address, and the port goes to "
        "'--port', not '" +
        options.bind + "'");
  }
  net::Address wanted = *address;
  wanted.set_port(options.port);
  auto listener = net::listen(wanted, {.blocking = true});
  if (!listener) {
    return std::unexpected("cannot listen on " + wanted.to_string() + ": " +
                           listener.error().message());
  }
  return std::move(*listener);
}

std::uint32_t connection_limit(const char* program, const support::ServerOptions& options,
                               std::uint64_t spare, int open_fd) {
  const std::uint64_t free_fds = support::raise_file_limit(open_fd);
  const std::uint64_t room = free_fds > spare ? free_fds - spare : 1;
  if (room >= options.max_connections) {
    return options.max_connections;
  }
  std::fprintf(stderr,
               "%s: warning: room for %" PRIu64 " connections instead of %" PRIu32
               ": the limit on open files is too low (`ulimit -Hn`)\n",
               program, room, options.max_connections);
  return static_cast<std::uint32_t>(room);
}

}  // namespace server
