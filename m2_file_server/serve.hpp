#pragma once
// `m2_file_server` without a command: the server.

namespace file_server {

// Parses the options and serves until a signal has drained it. Returns the exit status.
[[nodiscard]] int run_server(int argc, char** argv);

}  // namespace file_server
