#include "docs/epoll_reference/echo/echo_server.hpp"

#include <cstdio>

#include "common/support/options.hpp"
#include "common/support/server_options.hpp"
#include "docs/epoll_reference/echo/echo_protocol.hpp"
#include "docs/epoll_reference/reactor/reactor.hpp"
#include "docs/epoll_reference/server/server.hpp"

namespace epoll_reference {

int run_echo(int argc, char** argv) {
  using support::Option;
  constexpr const char* kProgram = "epoll_reference echo";
  constexpr std::uint16_t kDefaultPort = 7777;
  support::ServerOptions options;
  options.port = kDefaultPort;
  EchoMode mode = EchoMode::LevelTriggered;
  const support::Options table(
      kProgram, "Sends back what it receives.",
      support::server_option_rows(options,
                                  {support::max_buffered_row(options),
                                   Option::choice("mode", &mode,
                                                  {{"lt", EchoMode::LevelTriggered},
                                                   {"et", EchoMode::EdgeTriggered},
                                                   {"broken-et", EchoMode::BrokenEdgeTriggered}},
                                                  "level-triggered, edge-triggered, or "
                                                  "edge-triggered with the bug of reading once")}));
  if (const auto exit_status = table.parse_main(argc, argv)) {
    return *exit_status;
  }
  auto reactor = Reactor::create(reactor_options(options));
  if (!reactor) {
    std::fprintf(stderr, "%s: cannot set up epoll: %s\n", kProgram, reactor.error().message());
    return 2;
  }
  EchoProtocol protocol(*reactor, mode, options.max_buffered);
  Server server(*reactor, protocol, options);
  return server.run(kProgram);
}

}  // namespace epoll_reference
