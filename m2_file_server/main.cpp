// m2_file_server: a file server with every read and every network operation on an io_uring.
//
//   m2_file_server [options]          serves
//   m2_file_server bench COMMAND      measures
//   m2_file_server lifetime           the buffer-lifetime story, by a program that corrupts data
//
// Exit status: 0 after a drain (or help), 1 when something went wrong on the way, 2 for a wrong command
// line or an impossible start.

#include <signal.h>

#include <cstdio>
#include <string_view>

#include "common/support/standard_streams.hpp"
#include "m2_file_server/bench/bench.hpp"
#include "m2_file_server/lifetime.hpp"
#include "m2_file_server/serve.hpp"

int main(int argc, char** argv) {
  support::occupy_standard_streams();
  ::signal(SIGPIPE, SIG_IGN);  // whoever reads our output may go
  const std::string_view command = argc > 1 ? argv[1] : "";
  if (command == "bench") {
    return file_server::run_bench(argc - 1, argv + 1);
  }
  if (command == "lifetime") {
    return file_server::run_lifetime(argc - 1, argv + 1);
  }
  if (!command.empty() && !command.starts_with('-')) {
    std::fprintf(stderr,
                 "m2_file_server: there is no command '%s'; there are `bench` and `lifetime`, and "
                 "without one it serves (see --help)\n",
                 argv[1]);
    return 2;
  }
  return file_server::run_server(argc, argv);
}
