#include "m2_file_server/pipe_pool.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>

#include "common/base/check.hpp"

namespace file_server {
namespace {

// KERNEL: a user without CAP_SYS_RESOURCE may have 64 MiB in enlarged pipes together, and gets pipes of
// the usual 64 KiB after that (fs.pipe-user-pages-soft). They serve as well, in more steps.
constexpr int kPipeBytes = 1 << 20;

}  // namespace

PipePool::PipePool(std::uint16_t count) : pipes_(count) {
  free_.reserve(count);
  for (PipeId id = count; id-- > 0;) {
    free_.push_back(id);
  }
}

std::optional<PipeId> PipePool::acquire() {
  if (free_.empty()) {
    return std::nullopt;
  }
  const PipeId id = free_.back();
  if (!pipes_[id].read_end.valid() && !make(pipes_[id])) {
    return std::nullopt;
  }
  free_.pop_back();
  ++held_;
  return id;
}

void PipePool::release(PipeId id, bool empty) {
  CHECK(held_ > 0);
  if (!empty) {
    pipes_[id] = {};
  }
  free_.push_back(id);
  --held_;
}

bool PipePool::make(Pipe& pipe) {
  std::array<int, 2> ends;
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return false;
  }
  pipe.read_end.reset(ends[0]);
  pipe.write_end.reset(ends[1]);
  (void)::fcntl(ends[1], F_SETPIPE_SZ, kPipeBytes);
  const int bytes = ::fcntl(ends[1], F_GETPIPE_SZ);
  CHECK(bytes > 0, "a pipe has a size");
  pipe.capacity = static_cast<std::uint32_t>(bytes);
  return true;
}

}  // namespace file_server
