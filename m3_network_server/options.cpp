#include "m3_network_server/options.hpp"

#include <bit>
#include <cstdio>

#include "common/support/options.hpp"

namespace network_server {

std::optional<int> parse_echo_options(const char* program, int argc, char** argv,
                                      EchoOptions& options) {
  using support::Option;
  const support::Options table(
      program,
      "Sends back what it receives, with every network operation on an io_uring: accepted and "
      "received by requests that last, sent from the buffers that it was received into.",
      server_option_rows(
          options.server,
          {support::max_buffered_row(options.server),
           Option::integer("buffers", &options.buffers, 2, kMostBuffers,
                           "buffers to receive into, for all connections together: a power of two"),
           Option::size("buffer-size", &options.buffer_size, 64, 1 << 20, "bytes in one of them"),
           Option::integer("send-buffers", &options.send_buffers, 1, kMostSendBuffers,
                           "buffers of one connection that leave in one operation, at most"),
           Option::duration(
               "batch-wait", &options.batch_wait, std::chrono::nanoseconds(0),
               std::chrono::milliseconds(10),
               "where many clients are busy, wait at most so long for more of them; 0: "
               "never"),
           Option::flag("single-shot", &options.single_shot,
                        "one request for each connection and each message, to compare"),
           Option::flag("direct-descriptors", &options.direct_descriptors,
                        "accept into the ring's table of files, without descriptors"),
           Option::flag("log-states", &options.log_states,
                        "print a line for each change of a connection's state"),
           Option::text("trace", "FILE", &options.trace,
                        "record what the ring does; `m1_sq_cq trace FILE` prints it")}));
  if (const auto exit_status = table.parse_main(argc, argv)) {
    return exit_status;
  }
  if (!std::has_single_bit(options.buffers)) {
    std::fprintf(stderr, "%s: option '--buffers' needs a power of two, not %u\n", program,
                 options.buffers);
    return 2;
  }
  return std::nullopt;
}

}  // namespace network_server
