#include "common/support/server_options.hpp"

namespace support {

std::vector<Option> server_option_rows(ServerOptions& options,
                                       std::initializer_list<Option> own_rows) {
  using std::chrono_literals::operator""ms;
  using std::chrono_literals::operator""h;
  constexpr std::uint32_t kMostConnections = 1'000'000;
  std::vector<Option> rows = {
      Option::integer("port", &options.port, 0, 65535, "TCP port; 0: the kernel chooses one"),
      Option::text("bind", "ADDRESS", &options.bind, "the IPv4 or IPv6 address to listen on"),
      Option::integer("max-connections", &options.max_connections, 1, kMostConnections,
                      "with so many open, others wait until one closes"),
      Option::duration("idle-timeout", &options.idle_timeout, 0ms, 24h,
                       "close a connection on which no byte moved for so long; 0: never"),
      Option::duration("idle-timeout-jitter", &options.idle_timeout_jitter, 0ms, 24h,
                       "a random part of this is added to each connection's idle timeout"),
      Option::duration("drain-timeout", &options.drain_timeout, 0ms, 24h,
                       "after SIGTERM or SIGINT, how long clients may finish"),
      Option::duration("stats-interval", &options.stats_interval, 0ms, 24h,
                       "print a line of numbers in this interval; 0: never"),
  };
  rows.insert(rows.end(), own_rows);
  return rows;
}

Option max_buffered_row(ServerOptions& options) {
  return Option::size("max-buffered", &options.max_buffered, 4096, std::size_t{1} << 30,
                      "with so many bytes waiting for a client, nothing more is read from it");
}

}  // namespace support
