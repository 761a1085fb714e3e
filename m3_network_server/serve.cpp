#include "m3_network_server/serve.hpp"

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include "common/server/server.hpp"
#include "common/server/sockets.hpp"
#include "common/server/start.hpp"
#include "common/support/trace.hpp"
#include "common/uring/features.hpp"
#include "common/uring/provided_buffers.hpp"
#include "m3_network_server/echo_server.hpp"
#include "m3_network_server/options.hpp"

namespace network_server {
namespace {

constexpr const char* kProgram = "m3_network_server";

// A turn's sends of a thousand busy connections leave in one enter, and their completions have room.
constexpr std::uint32_t kSqEntries = 2048;
constexpr std::uint32_t kCqEntries = 8192;

int refuse(const std::string& sentence) {
  std::fprintf(stderr, "%s: %s\n", kProgram, sentence.c_str());
  return 2;
}

std::expected<server::Sockets, std::string> choose_sockets(const uring::Features& features,
                                                           const EchoOptions& options) {
  if (options.direct_descriptors && !features.has(uring::Feature::DirectAccept)) {
    return std::unexpected(
        "option '--direct-descriptors' needs an ACCEPT that puts sockets into the ring's table of "
        "files, of Linux 5.19, which this kernel does not have, or which is masked; without the "
        "option it serves on ordinary descriptors");
  }
  return server::Sockets{
      .multishot_accept = features.has(uring::Feature::MultishotAccept) && !options.single_shot,
      .direct = options.direct_descriptors};
}

int serve(const EchoOptions& options, const uring::Features& features,
          const server::Sockets& sockets, uring::Ring& ring) {
  auto buffers = uring::ProvidedBuffers::create(
      ring, features, {.count = options.buffers, .buffer_size = options.buffer_size});
  if (!buffers) {
    return refuse("no memory for " + std::to_string(options.buffers) + " buffers of " +
                  std::to_string(options.buffer_size) + " bytes: " + buffers.error().message());
  }
  EchoServer protocol(*buffers, EchoForm::choose(features, options), options);
  server::Server<EchoServer> server(ring, protocol, options.server, sockets);
  const int status = server.run(kProgram);
  if (status == 1) {
    // Requests are in flight, and their memory must not go before the ring: the process goes as one.
    std::fflush(nullptr);
    std::_Exit(status);
  }
  return status;
}

int serve_traced(const EchoOptions& options, const uring::Features& features,
                 const server::Sockets& sockets, support::Trace* trace) {
  auto ring = server::create_ring(features, kSqEntries, kCqEntries, trace);
  return ring ? serve(options, features, sockets, *ring) : refuse(ring.error());
}

}  // namespace

int run_server(int argc, char** argv) {
  EchoOptions options;
  options.server.port = 7777;
  if (const auto exit_status = parse_echo_options(kProgram, argc, argv, options)) {
    return *exit_status;
  }
  const auto features = uring::detect_features_or_explain();
  if (!features) {
    return refuse(features.error());
  }
  const auto sockets = choose_sockets(*features, options);
  if (!sockets) {
    return refuse(sockets.error());
  }
  if (options.trace.empty()) {
    return serve_traced(options, *features, *sockets, nullptr);
  }
  auto trace = support::Trace::open(options.trace.c_str());
  if (!trace) {
    return refuse("cannot write the trace '" + options.trace + "': " + trace.error().message());
  }
  const int status = serve_traced(options, *features, *sockets, &*trace);
  if (const auto flushed = trace->flush(); !flushed) {
    std::fprintf(stderr, "%s: the trace '%s' is not complete: %s\n", kProgram,
                 options.trace.c_str(), flushed.error().message());
    return status == 0 ? 1 : status;
  }
  return status;
}

}  // namespace network_server
