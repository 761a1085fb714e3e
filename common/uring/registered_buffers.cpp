#include "common/uring/registered_buffers.hpp"

#include <time.h>

#include <cerrno>

#include "common/base/check.hpp"
#include "common/uring/prep.hpp"

namespace uring {

base::Result<RegisteredBuffers> RegisteredBuffers::create(Ring& ring,
                                                          std::span<const iovec> buffers) {
  const auto count = static_cast<std::uint32_t>(buffers.size());
  constexpr int kTries = 20;
  for (int attempt = 1;; ++attempt) {
    const auto registered = ring.register_op(IORING_REGISTER_BUFFERS, buffers.data(), count);
    if (registered) {
      return RegisteredBuffers(ring, count);
    }
    if (registered.error().value != ENOMEM || attempt == kTries) {
      return base::fail(registered.error());
    }
    const timespec pause{.tv_sec = 0, .tv_nsec = 5'000'000};
    ::nanosleep(&pause, nullptr);
  }
}

base::Result<RegisteredBuffers> RegisteredBuffers::create_sparse(Ring& ring, std::uint32_t count) {
  io_uring_rsrc_register request{};
  request.nr = count;
  request.flags = IORING_RSRC_REGISTER_SPARSE;
  const auto registered = ring.register_op(IORING_REGISTER_BUFFERS2, &request, sizeof request);
  if (!registered) {
    return base::fail(registered.error());
  }
  return RegisteredBuffers(ring, count);
}

RegisteredBuffers::~RegisteredBuffers() {
  if (ring_ != nullptr) {
    CHECK(ring_->register_op(IORING_UNREGISTER_BUFFERS, nullptr, 0).has_value(),
          "a registered table can be unregistered, once, by the ring's owner");
  }
}

base::Result<void> RegisteredBuffers::update(std::uint32_t index, const iovec& buffer) {
  io_uring_rsrc_update2 request{};
  request.offset = index;
  request.data = user_address(&buffer);
  request.nr = 1;
  return base::without_value(
      ring_->register_op(IORING_REGISTER_BUFFERS_UPDATE, &request, sizeof request));
}

}  // namespace uring
