#include "tests/forged/provided_buffers.hpp"

#include <algorithm>
#include <atomic>

#include "common/base/check.hpp"

namespace forged {
namespace {

template <class T>
T* pointer(std::uint64_t address) {
  return reinterpret_cast<T*>(static_cast<std::uintptr_t>(address));
}

Buffer entry(const uring::io_uring_buf_ring* ring, std::uint32_t index) {
  const auto* entries = reinterpret_cast<const uring::io_uring_buf*>(ring);
  return {.memory = pointer<std::byte>(entries[index].addr),
          .size = entries[index].len,
          .id = entries[index].bid};
}

}  // namespace

void ProvidedBuffers::register_ring(const uring::io_uring_buf_reg& request) {
  groups_[request.bgid] = {.ring = pointer<uring::io_uring_buf_ring>(request.ring_addr),
                           .entries = request.ring_entries};
}

void ProvidedBuffers::unregister_ring(const uring::io_uring_buf_reg& request) {
  groups_.erase(request.bgid);
}

void ProvidedBuffers::provide(const uring::io_uring_sqe& sqe) {
  Group& group = groups_[sqe.buf_group];
  CHECK(group.ring == nullptr, "a group has one form");
  for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(sqe.fd); ++i) {
    group.provided.push_back({.memory = pointer<std::byte>(sqe.addr) + std::size_t{i} * sqe.len,
                              .size = sqe.len,
                              .id = static_cast<std::uint16_t>(sqe.off + i)});
  }
}

std::int32_t ProvidedBuffers::remove(const uring::io_uring_sqe& sqe) {
  std::deque<Buffer>& provided = groups_[sqe.buf_group].provided;
  const std::size_t count = std::min(provided.size(), static_cast<std::size_t>(sqe.fd));
  provided.erase(provided.begin(), provided.begin() + static_cast<std::ptrdiff_t>(count));
  return static_cast<std::int32_t>(count);
}

std::optional<Buffer> ProvidedBuffers::choose(std::uint16_t group_id) {
  const std::vector<Buffer> all = available(group_id);
  if (all.empty()) {
    return std::nullopt;
  }
  Group& group = groups_[group_id];
  if (group.ring != nullptr) {
    ++group.head;
  } else {
    group.provided.pop_front();
  }
  return all.front();
}

std::vector<Buffer> ProvidedBuffers::available(std::uint16_t group_id) const {
  const auto found = groups_.find(group_id);
  if (found == groups_.end()) {
    return {};
  }
  const Group& group = found->second;
  std::vector<Buffer> buffers(group.provided.begin(), group.provided.end());
  if (group.ring != nullptr) {
    const std::uint16_t tail = std::atomic_ref(group.ring->tail).load(std::memory_order_acquire);
    for (std::uint16_t head = group.head; head != tail; ++head) {
      buffers.push_back(entry(group.ring, head & (group.entries - 1)));
    }
  }
  return buffers;
}

std::size_t ProvidedBuffers::count() const {
  std::size_t count = 0;
  for (const auto& [id, group] : groups_) {
    count += available(id).size();
  }
  return count;
}

}  // namespace forged
