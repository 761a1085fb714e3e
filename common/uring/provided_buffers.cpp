#include "common/uring/provided_buffers.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>

#include "common/base/check.hpp"
#include "common/uring/prep.hpp"

namespace uring {

base::Result<ProvidedBuffers> ProvidedBuffers::create(Ring& ring, const Features& features,
                                                      const ProvidedBuffersOptions& options) {
  if (!std::has_single_bit(options.count) || options.count > 32768 || options.buffer_size == 0) {
    return base::fail(EINVAL);
  }
  auto memory = MappedRegion::anonymous(std::size_t{options.count} * options.buffer_size);
  if (!memory) {
    return base::fail(memory.error());
  }
  ProvidedBuffers buffers(ring, options, std::move(*memory));
  if (features.has(Feature::BufferRing)) {
    const auto registered = buffers.register_ring();
    if (!registered) {
      buffers.owner_ring_.ring = nullptr;
      return base::fail(registered.error());
    }
  }
  for (std::uint32_t id = 0; id < options.count; ++id) {
    buffers.give_back(static_cast<std::uint16_t>(id));
  }
  const auto published = buffers.publish();
  if (!published) {
    return base::fail(published.error());
  }
  return buffers;
}

ProvidedBuffers::ProvidedBuffers(Ring& ring, const ProvidedBuffersOptions& options,
                                 MappedRegion memory)
    : owner_ring_(ring),
      group_(options.group),
      count_(options.count),
      buffer_size_(options.buffer_size),
      memory_(std::move(memory)),
      owners_(options.count, Owner::Us) {
  queue_.reserve(options.count);
}

base::Result<void> ProvidedBuffers::register_ring() {
  // The kernel wants the ring page-aligned; a mapping is.
  auto memory = MappedRegion::anonymous(count_ * sizeof(io_uring_buf));
  if (!memory) {
    return base::fail(memory.error());
  }
  io_uring_buf_reg request{};
  request.ring_addr = user_address(memory->data());
  request.ring_entries = count_;
  request.bgid = group_;
  const auto registered = owner_ring_.ring->register_op(IORING_REGISTER_PBUF_RING, &request, 1);
  if (!registered) {
    return base::fail(registered.error());
  }
  ring_memory_ = std::move(*memory);
  ring_form_.emplace(ring_memory_.at<io_uring_buf_ring>(0), count_);
  return {};
}

ProvidedBuffers::~ProvidedBuffers() {
  Ring* ring = owner_ring_.ring;
  if (ring == nullptr) {
    return;
  }
  if (ring_form_) {
    io_uring_buf_reg request{};
    request.bgid = group_;
    CHECK(ring->register_op(IORING_UNREGISTER_PBUF_RING, &request, 1).has_value(),
          "a registered group can be unregistered, once, by the ring's owner");
    return;
  }
  // The kernel would hand this memory out to the next request that selects from the group.
  if (ring->make_room(1)) {
    io_uring_sqe* sqe = ring->next_sqe();
    prep_remove_buffers(*sqe, static_cast<std::uint16_t>(count_), group_);
    sqe->user_data = Ring::kInternalUserData;
    CHECK(ring->submit().has_value(), "the group's buffers must leave the kernel with it");
  }
}

std::span<std::byte> ProvidedBuffers::buffer(std::uint16_t buffer_id) const {
  CHECK(buffer_id < count_, "a buffer id of this group");
  return memory_.bytes().subspan(std::size_t{buffer_id} * buffer_size_, buffer_size_);
}

std::span<std::byte> ProvidedBuffers::take(const io_uring_cqe& cqe) {
  CHECK((cqe.flags & IORING_CQE_F_BUFFER) != 0, "only F_BUFFER says that a buffer came");
  const std::uint16_t id = buffer_id(cqe);
  const std::span<std::byte> whole = buffer(id);
  CHECK(owners_[id] == Owner::Kernel, "the kernel hands out only what it was given");
  owners_[id] = Owner::Us;
  --with_kernel_;
  if (support::Trace* trace = owner_ring_.ring->trace(); trace != nullptr) [[unlikely]] {
    trace->record(support::TraceKind::BufferOut, cqe.user_data, group_, id);
  }
  return whole.first(cqe.res > 0 ? static_cast<std::size_t>(cqe.res) : 0);
}

void ProvidedBuffers::give_back(std::uint16_t buffer_id) {
  CHECK(buffer_id < count_ && owners_[buffer_id] == Owner::Us,
        "a buffer is given back once, by its owner");
  owners_[buffer_id] = Owner::Queued;
  queue_.push_back(buffer_id);
}

base::Result<void> ProvidedBuffers::publish() {
  if (queue_.empty()) {
    return {};
  }
  if (support::Trace* trace = owner_ring_.ring->trace(); trace != nullptr) [[unlikely]] {
    for (const std::uint16_t id : queue_) {
      trace->record(support::TraceKind::BufferIn, 0, group_, id);
    }
  }
  if (!ring_form_) {
    return publish_by_requests();
  }
  for (const std::uint16_t id : queue_) {
    ring_form_->add(buffer(id).data(), buffer_size_, id);
    owners_[id] = Owner::Kernel;
  }
  ring_form_->publish();
  with_kernel_ += queued();
  queue_.clear();
  return {};
}

base::Result<void> ProvidedBuffers::publish_by_requests() {
  std::ranges::sort(queue_);
  std::size_t done = 0;
  while (done < queue_.size()) {
    std::size_t run = 1;
    while (done + run < queue_.size() && queue_[done + run] == queue_[done] + run) {
      ++run;
    }
    io_uring_sqe* sqe = owner_ring_.ring->next_sqe();
    if (sqe == nullptr) {
      break;
    }
    prep_provide_buffers(*sqe, buffer(queue_[done]).data(), buffer_size_,
                         static_cast<std::uint16_t>(run), group_, queue_[done]);
    sqe->user_data = Ring::kInternalUserData;
    for (std::size_t i = done; i < done + run; ++i) {
      owners_[queue_[i]] = Owner::Kernel;
    }
    with_kernel_ += static_cast<std::uint32_t>(run);
    done += run;
  }
  queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(done));
  return queue_.empty() ? base::Result<void>{} : base::fail(ENOBUFS);
}

}  // namespace uring
