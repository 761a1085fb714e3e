#include "m2_file_server/buffer_pool.hpp"

#include <utility>

#include "common/base/check.hpp"

namespace file_server {

base::Result<BufferPool> BufferPool::create(std::uint16_t count, std::size_t body_size) {
  CHECK(count > 0 && count < kNoBuffer && body_size > 0 && body_size % 4096 == 0);
  auto region = uring::MappedRegion::anonymous(count * (kHeadRoom + body_size));
  if (!region) {
    return base::fail(region.error());
  }
  return BufferPool(std::move(*region), count, body_size);
}

BufferPool::BufferPool(uring::MappedRegion region, std::uint16_t count, std::size_t body_size)
    : region_(std::move(region)), body_size_(body_size), states_(count, BufferState::Free) {
  free_.reserve(count);
  for (BufferId id = count; id-- > 0;) {
    free_.push_back(id);
  }
  counts_[static_cast<std::size_t>(BufferState::Free)] = count;
}

base::Result<void> BufferPool::register_with(uring::Ring& ring) {
  std::vector<iovec> buffers;
  buffers.reserve(size());
  for (BufferId id = 0; id < size(); ++id) {
    buffers.push_back({.iov_base = region_.data() + id * stride(), .iov_len = stride()});
  }
  auto registered = uring::RegisteredBuffers::create(ring, buffers);
  if (!registered) {
    return base::fail(registered.error());
  }
  registered_.emplace(std::move(*registered));
  return {};
}

std::optional<BufferId> BufferPool::acquire() {
  if (free_.empty()) {
    return std::nullopt;
  }
  const BufferId id = free_.back();
  free_.pop_back();
  move(id, BufferState::Free, BufferState::Held);
  return id;
}

void BufferPool::begin(BufferId id, BufferState use) {
  CHECK(use == BufferState::Reading || use == BufferState::Sending);
  move(id, BufferState::Held, use);
}

void BufferPool::end(BufferId id, BufferState use) {
  CHECK(use == BufferState::Reading || use == BufferState::Sending);
  move(id, use, BufferState::Held);
}

void BufferPool::release(BufferId id) {
  move(id, BufferState::Held, BufferState::Free);
  free_.push_back(id);
}

std::span<std::byte> BufferPool::memory(BufferId id) const {
  CHECK(states_[id] == BufferState::Held, "a buffer that is lent is the kernel's until its CQE");
  return {region_.data() + id * stride(), stride()};
}

void BufferPool::move(BufferId id, BufferState from, BufferState to) {
  CHECK(id < size() && states_[id] == from,
        "a buffer is lent to the kernel once at a time, and is its until the CQE");
  states_[id] = to;
  --counts_[static_cast<std::size_t>(from)];
  ++counts_[static_cast<std::size_t>(to)];
}

}  // namespace file_server
