#include "common/uring/mapped_region.hpp"

#include "common/uring/syscalls.hpp"

namespace uring {

base::Result<MappedRegion> MappedRegion::of_ring(int ring_fd, std::size_t size,
                                                 std::uint64_t offset) {
  const auto address = sys::map_ring(ring_fd, size, offset);
  if (!address) {
    return base::fail(address.error());
  }
  return MappedRegion(*address, size);
}

base::Result<MappedRegion> MappedRegion::anonymous(std::size_t size) {
  const auto address = sys::map_memory(size);
  if (!address) {
    return base::fail(address.error());
  }
  return MappedRegion(*address, size);
}

void MappedRegion::release() {
  if (address_ != nullptr) {
    sys::unmap(address_, size_);
    address_ = nullptr;
    size_ = 0;
  }
}

}  // namespace uring
