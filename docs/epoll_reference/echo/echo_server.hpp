#pragma once
// `epoll_reference echo`: sends back what it receives.

namespace epoll_reference {

// Parses the options and serves until a signal has drained it. Returns the exit status.
[[nodiscard]] int run_echo(int argc, char** argv);

}  // namespace epoll_reference
