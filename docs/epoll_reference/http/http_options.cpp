#include "docs/epoll_reference/http/http_options.hpp"

#include <cstdio>

#include "common/support/options.hpp"

namespace epoll_reference {

std::optional<int> parse_http_options(const char* program, int argc, char** argv,
                                      HttpOptions& options) {
  using std::chrono_literals::operator""ms;
  using std::chrono_literals::operator""h;
  using support::Option;
  constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 40;
  const support::Options table(
      program, "Serves the files below a folder.",
      support::server_option_rows(
          options.server,
          {support::max_buffered_row(options.server),
           Option::text("root", "DIR", &options.root, "the folder with the files; must be given"),
           Option::duration("header-timeout", &options.header_timeout, 0ms, 24h,
                            "from a request's first byte to the end of its head; 0: no limit"),
           Option::size("max-header", &options.limits.max_head_bytes, 256, 64 << 10,
                        "a larger head is refused"),
           Option::size("max-body", &options.limits.max_body_bytes, 0, kMostBytes,
                        "a larger body is refused, a smaller one is read past"),
           Option::integer("file-cache", &options.file_cache, 0, 1'000'000,
                           "how many files are kept open; 0: none"),
           Option::flag("sendfile", &options.sendfile, "let the kernel send larger files itself"),
           Option::size("sendfile-from", &options.sendfile_from, 1, kMostBytes,
                        "what counts as larger")}));
  if (const auto exit_status = table.parse_main(argc, argv)) {
    return exit_status;
  }
  if (options.root.empty()) {
    std::fprintf(stderr, "%s: option '--root' is missing: the folder with the files\n", program);
    return 2;
  }
  return std::nullopt;
}

}  // namespace epoll_reference
