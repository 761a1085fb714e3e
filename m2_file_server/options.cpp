#include "m2_file_server/options.hpp"

#include <cstdio>

#include "common/support/options.hpp"

namespace file_server {

std::optional<int> parse_serve_options(const char* program, int argc, char** argv,
                                       ServeOptions& options) {
  using std::chrono_literals::operator""ms;
  using std::chrono_literals::operator""h;
  using support::Option;
  constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 40;
  constexpr std::size_t kPage = 4096;
  const support::Options table(
      program,
      "Serves the files below a folder over HTTP/1.1, with every read of a file and every network "
      "operation on an io_uring. Other commands: `m2_file_server bench --help` measures, "
      "`m2_file_server lifetime` shows what happens to a buffer that is used again too early.",
      server_option_rows(
          options.server,
          {Option::text("root", "DIR", &options.root,
                        "the folder with the files; without it, an example that comes along"),
           Option::duration("header-timeout", &options.header_timeout, 0ms, 24h,
                            "from a request's first byte to the end of its head; 0: no limit"),
           Option::size("max-header", &options.limits.max_head_bytes, 256, 64 << 10,
                        "a larger head is refused"),
           Option::size("max-body", &options.limits.max_body_bytes, 0, kMostBytes,
                        "a larger body is refused, a smaller one is read past"),
           Option::integer("file-cache", &options.file_cache, 0, 32768,
                           "files kept open, and places for them in the ring's table; 0: none"),
           Option::integer("buffers", &options.buffers, 1, 16384,
                           "buffers for what is read, for all connections together"),
           Option::size("buffer-size", &options.buffer_size, kPage, 1 << 20,
                        "bytes of a file that one of them holds: whole pages of 4K"),
           Option::integer("read-ahead", &options.read_ahead, 1, kMostReadAhead,
                           "buffers that one connection may have"),
           Option::flag("direct", &options.direct, "read past the page cache (O_DIRECT)"),
           Option::flag("fixed-buffers", &options.fixed_buffers,
                        "register the buffers with the ring"),
           Option::flag("registered-files", &options.registered_files,
                        "register the open files with the ring"),
           Option::flag(
               "splice", &options.splice,
               "larger files go through pipes, uncopied: one that is truncated or rewritten in "
               "place meanwhile is not noticed, as with sendfile")}));
  if (const auto exit_status = table.parse_main(argc, argv)) {
    return exit_status;
  }
  if (options.buffer_size % kPage != 0) {
    std::fprintf(stderr, "%s: option '--buffer-size' needs a multiple of 4K, not %zu\n", program,
                 options.buffer_size);
    return 2;
  }
  if (options.direct && options.splice) {
    std::fprintf(
        stderr,
        "%s: options '--direct' and '--splice' do not go together: what is spliced are pages "
        "of the cache that --direct goes past\n",
        program);
    return 2;
  }
  return std::nullopt;
}

}  // namespace file_server
