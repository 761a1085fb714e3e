#pragma once
// The program, but for main().

namespace network_server {

// Parses the options and serves until a signal has drained it. Returns the exit status.
[[nodiscard]] int run_server(int argc, char** argv);

}  // namespace network_server
