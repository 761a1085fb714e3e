#include "m2_file_server/serve.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "common/base/unique_fd.hpp"
#include "common/server/server.hpp"
#include "common/server/start.hpp"
#include "common/support/file_limit.hpp"
#include "common/uring/features.hpp"
#include "common/uring/registered_files.hpp"
#include "m2_file_server/buffer_pool.hpp"
#include "m2_file_server/file_server.hpp"
#include "m2_file_server/file_table.hpp"
#include "m2_file_server/options.hpp"

namespace file_server {
namespace {

constexpr const char* kProgram = "m2_file_server";

int refuse(const std::string& sentence) {
  std::fprintf(stderr, "%s: %s\n", kProgram, sentence.c_str());
  return 2;
}

// Without registered buffers it is slower, and right: a limit on locked memory is no reason not to
// serve.
void register_buffers(BufferPool& buffers, uring::Ring& ring) {
  if (const auto registered = buffers.register_with(ring); !registered) {
    std::fprintf(stderr,
                 "%s: note: the buffers are not registered: %s. For %zu KiB the limit on locked "
                 "memory (`ulimit -l`) may be too low; fewer --buffers need less\n",
                 kProgram, registered.error().message(),
                 buffers.size() * (BufferPool::kHeadRoom + buffers.body_size()) / 1024);
  }
}

std::optional<uring::RegisteredFiles> register_files(uring::Ring& ring, std::size_t places) {
  if (places == 0) {
    return std::nullopt;
  }
  auto table = uring::RegisteredFiles::create_sparse(ring, static_cast<std::uint32_t>(places));
  if (!table) {
    std::fprintf(stderr, "%s: note: the files are not registered: %s\n", kProgram,
                 table.error().message());
    return std::nullopt;
  }
  return std::move(*table);
}

int serve(const ServeOptions& options, const uring::Features& features, uring::Ring& ring,
          int root) {
  auto buffers = BufferPool::create(options.buffers, options.buffer_size);
  if (!buffers) {
    return refuse("no memory for " + std::to_string(options.buffers) +
                  " buffers: " + buffers.error().message());
  }
  if (options.fixed_buffers) {
    register_buffers(*buffers, ring);
  }
  auto places = register_files(ring, options.registered_files ? options.file_cache : 0);
  FileTable files(places ? &*places : nullptr,
                  {.capacity = options.file_cache, .direct = options.direct});
  FileServer protocol(root, *buffers, files, options);
  server::Server<FileServer> server(
      ring, protocol, options.server,
      {.multishot_accept = features.has(uring::Feature::MultishotAccept)});
  const int status = server.run(kProgram);
  if (status == 1) {
    // Requests are in flight, and their memory must not go before the ring: the process goes as one.
    std::fflush(nullptr);
    std::_Exit(status);
  }
  return status;
}

}  // namespace

int run_server(int argc, char** argv) {
  ServeOptions options;
  options.server.port = 8080;
  if (const auto exit_status = parse_serve_options(kProgram, argc, argv, options)) {
    return *exit_status;
  }
  if (options.root.empty()) {
    options.root = MILESTONES_EXAMPLE_ROOT;
  }
  const base::UniqueFd root(::open(options.root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) {
    return refuse("cannot serve '" + options.root + "': " + base::last_error().message());
  }
  const auto features = uring::detect_features_or_explain();
  if (!features) {
    return refuse(features.error());
  }
  if (!features->has(uring::Feature::Openat2)) {
    return refuse(
        "opening files beneath the root needs IORING_OP_OPENAT2, of Linux 5.6, which this kernel "
        "does not have, or which is masked");
  }
  // Where few descriptors are allowed, most of them are for connections.
  options.file_cache =
      std::min<std::size_t>(options.file_cache, support::raise_file_limit(root.get()) / 4);
  auto ring = server::create_ring(*features);
  if (!ring) {
    return refuse(ring.error());
  }
  return serve(options, *features, *ring, root.get());
}

}  // namespace file_server
