#include "common/uring/registered_files.hpp"

#include <cerrno>
#include <vector>

#include "common/base/check.hpp"
#include "common/uring/prep.hpp"

namespace uring {

base::Result<RegisteredFiles> RegisteredFiles::create_sparse(Ring& ring, std::uint32_t count) {
  return create(ring, std::vector<int>(count, -1));
}

base::Result<RegisteredFiles> RegisteredFiles::create(Ring& ring, std::span<const int> fds) {
  const auto count = static_cast<std::uint32_t>(fds.size());
  const auto registered = ring.register_op(IORING_REGISTER_FILES, fds.data(), count);
  if (!registered) {
    return base::fail(registered.error());
  }
  return RegisteredFiles(ring, count);
}

RegisteredFiles::~RegisteredFiles() {
  if (ring_ != nullptr) {
    CHECK(ring_->register_op(IORING_UNREGISTER_FILES, nullptr, 0).has_value(),
          "a registered table can be unregistered, once, by the ring's owner");
  }
}

base::Result<void> RegisteredFiles::set(std::uint32_t index, int fd) {
  return fd >= 0 ? update(index, fd) : base::fail(EBADF);
}

base::Result<void> RegisteredFiles::update(std::uint32_t index, int fd) {
  io_uring_files_update request{};
  request.offset = index;
  request.fds = user_address(&fd);
  return base::without_value(ring_->register_op(IORING_REGISTER_FILES_UPDATE, &request, 1));
}

}  // namespace uring
