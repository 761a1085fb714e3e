// ring_read FILE [--offset N] [--bytes N]: one READ through a ring, and its res on stdout.

#include <fcntl.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include "common/base/unique_fd.hpp"
#include "common/support/options.hpp"
#include "common/uring/prep.hpp"
#include "common/uring/ring.hpp"

namespace {

constexpr int kExitFailed = 1;
constexpr int kExitCannotStart = 2;

}  // namespace

int main(int argc, char** argv) {
  using support::Option;
  std::string path;
  std::uint64_t offset = 0;
  std::size_t bytes = 64 * 1024;
  const support::Options options(
      "ring_read", "One READ through a ring.",
      {Option::positional("FILE", &path, "what to read"),
       Option::size("offset", &offset, 0, std::uint64_t{1} << 50, "where the read begins"),
       Option::size("bytes", &bytes, 1, std::size_t{1} << 30, "how many bytes it asks for")});
  if (const auto exit_status = options.parse_main(argc, argv)) {
    return *exit_status;
  }
  const auto features = uring::detect_features_or_explain();
  if (!features) {
    std::fprintf(stderr, "ring_read: %s\n", features.error().c_str());
    return kExitCannotStart;
  }
  const base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::vector<std::byte> buffer(bytes);
  auto ring = uring::Ring::create({.sq_entries = 1}, *features);
  if (!file.valid() || !ring) {
    std::fprintf(stderr, "ring_read: cannot open '%s', or no ring\n", path.c_str());
    return kExitFailed;
  }
  uring::prep_read(*ring->next_sqe(), file.get(), buffer, offset);
  uring::io_uring_cqe cqe{};
  if (!ring->submit_and_wait(1) || ring->reap(std::span(&cqe, 1)) != 1) {
    std::fprintf(stderr, "ring_read: no completion\n");
    return kExitFailed;
  }
  std::printf("%d\n", cqe.res);
  return 0;
}
