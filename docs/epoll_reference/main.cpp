// epoll_reference: the servers on epoll that those on the ring are compared with.
//
// Exit status: 0 after a drain (or help), 1 from `bench` when something went wrong, 2 for a wrong
// command line or an impossible start.

#include <signal.h>

#include <array>
#include <cstdio>
#include <string>
#include <string_view>

#include "common/support/edit_distance.hpp"
#include "common/support/standard_streams.hpp"
#include "docs/epoll_reference/bench/bench.hpp"
#include "docs/epoll_reference/echo/echo_server.hpp"
#include "docs/epoll_reference/http/http_server.hpp"

namespace {

struct Command {
  std::string_view name;
  int (*run)(int argc, char** argv);
  const char* summary;
};

constexpr auto kCommands = std::to_array<Command>({
    {"echo", epoll_reference::run_echo, "an echo server"},
    {"http", epoll_reference::run_http, "an HTTP/1.1 server of static files"},
    {"bench", epoll_reference::run_bench, "what the parts of the reactor cost"},
});

void print_help() {
  std::printf(
      "usage: epoll_reference COMMAND [options]\n"
      "A reactor on epoll, and servers on it.\n\ncommands:\n");
  for (const Command& command : kCommands) {
    std::printf("  %-6s %s\n", command.name.data(), command.summary);
  }
  std::printf("\n`epoll_reference COMMAND --help` lists the options of a command.\n");
}

int refuse(std::string_view name) {
  std::string_view nearest = kCommands.front().name;
  for (const Command& command : kCommands) {
    if (support::edit_distance(name, command.name) < support::edit_distance(name, nearest)) {
      nearest = command.name;
    }
  }
  std::fprintf(stderr,
               "epoll_reference: there is no command '%s'; the nearest name is '%s', and --help "
               "lists them all\n",
               std::string(name).c_str(), std::string(nearest).c_str());
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  support::occupy_standard_streams();
  // A write to a connection or a pipe that is gone is EPIPE for us, and not the end: sendfile() has
  // no flag for that as send() has.
  ::signal(SIGPIPE, SIG_IGN);
  if (argc < 2) {
    std::fprintf(stderr, "epoll_reference: which command? --help lists them\n");
    return 2;
  }
  const std::string_view name = argv[1];
  if (name == "--help" || name == "-h") {
    print_help();
    return 0;
  }
  for (const Command& command : kCommands) {
    if (command.name == name) {
      return command.run(argc - 1, argv + 1);
    }
  }
  return refuse(name);
}
