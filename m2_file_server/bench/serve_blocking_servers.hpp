#pragma once
// The two servers that people write before they know of epoll or io_uring: they block in every
// call. `listener` is a blocking socket, `root` the folder. They never return: when accept() fails
// for good (no descriptor is left, for example), they end the process.

#include <cstdint>

namespace file_server::serve_bench {

// Accepts a connection, answers one request, closes it, accepts the next. All others wait in the
// listener's backlog meanwhile. It keeps no connection open: with one thread, waiting for the next
// request of one client would keep all the others waiting too.
[[noreturn]] void serve_by_one_thread(int listener, int root);

// The calling thread accepts and puts connections into a queue; each of `threads` others takes one
// out and serves it until the client closes it. So there can be as many clients as threads: the
// rest wait in the queue until one of the first goes away.
[[noreturn]] void serve_by_thread_pool(int listener, int root, std::uint32_t threads);

}  // namespace file_server::serve_bench
