// m3_network_server: an echo server with every network operation on an io_uring.
//
// Exit status: 0 after a drain (or help), 1 when something went wrong on the way, 2 for a wrong command
// line or an impossible start.

#include <signal.h>

#include "common/support/standard_streams.hpp"
#include "m3_network_server/serve.hpp"

int main(int argc, char** argv) {
  support::occupy_standard_streams();
  ::signal(SIGPIPE, SIG_IGN);  // whoever reads our output may go
  return network_server::run_server(argc, argv);
}
