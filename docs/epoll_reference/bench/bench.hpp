#pragma once
// `epoll_reference bench`: what the pieces of the reactor cost on this machine, and what system
// calls cost, from which the speed of a server can be predicted.

namespace epoll_reference {

// Returns the exit status: 0 when everything could be measured, 2 for a bad option.
[[nodiscard]] int run_bench(int argc, char** argv);

}  // namespace epoll_reference
