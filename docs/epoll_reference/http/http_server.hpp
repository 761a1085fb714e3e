#pragma once
// `epoll_reference http`: an HTTP/1.1 server of static files on the reactor.

namespace epoll_reference {

// Parses the options and serves until a signal has drained it. Returns the exit status.
[[nodiscard]] int run_http(int argc, char** argv);

}  // namespace epoll_reference
