#include "docs/epoll_reference/http/http_server.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "common/support/file_limit.hpp"
#include "docs/epoll_reference/http/http_options.hpp"
#include "docs/epoll_reference/http/http_protocol.hpp"
#include "docs/epoll_reference/http/open_beneath.hpp"
#include "docs/epoll_reference/reactor/reactor.hpp"
#include "docs/epoll_reference/server/server.hpp"

namespace epoll_reference {
namespace {

// Where few descriptors are allowed, most of them are for connections.
std::size_t files_to_keep_open(int open_fd) {
  return support::raise_file_limit(open_fd) / 4;
}

}  // namespace

int run_http(int argc, char** argv) {
  constexpr const char* kProgram = "epoll_reference http";
  HttpOptions options;
  if (const auto exit_status = parse_http_options(kProgram, argc, argv, options)) {
    return *exit_status;
  }
  const auto root = open_root(options.root.c_str());
  if (!root) {
    std::fprintf(
        stderr, "%s: cannot serve '%s': %s\n", kProgram, options.root.c_str(),
        root.error().value == ENOSYS ? "this needs openat2, of Linux 5.6" : root.error().message());
    return 2;
  }
  options.file_cache = std::min(options.file_cache, files_to_keep_open(root->get()));
  auto reactor = Reactor::create(reactor_options(options.server));
  if (!reactor) {
    std::fprintf(stderr, "%s: cannot set up epoll: %s\n", kProgram, reactor.error().message());
    return 2;
  }
  HttpProtocol protocol(*reactor, root->get(), options);
  Server server(*reactor, protocol, options.server);
  return server.run(kProgram);
}

}  // namespace epoll_reference
