#pragma once
// One mapping and its length; unmapped exactly once.

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "common/base/errno.hpp"

namespace uring {

class MappedRegion {
 public:
  MappedRegion() = default;
  // `size` bytes of the ring `ring_fd` at an IORING_OFF_* offset. ENOMEM and EAGAIN (locked memory)
  // can come; EINVAL means that offset and size do not fit the ring.
  [[nodiscard]] static base::Result<MappedRegion> of_ring(int ring_fd, std::size_t size,
                                                          std::uint64_t offset);
  // `size` bytes of fresh, zeroed, page-aligned private memory. ENOMEM.
  [[nodiscard]] static base::Result<MappedRegion> anonymous(std::size_t size);

  MappedRegion(MappedRegion&& other) noexcept
      : address_(std::exchange(other.address_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  MappedRegion& operator=(MappedRegion&& other) noexcept {
    if (this != &other) {
      release();
      address_ = std::exchange(other.address_, nullptr);
      size_ = std::exchange(other.size_, 0);
    }
    return *this;
  }
  MappedRegion(const MappedRegion&) = delete;
  MappedRegion& operator=(const MappedRegion&) = delete;
  ~MappedRegion() { release(); }

  [[nodiscard]] bool mapped() const { return address_ != nullptr; }
  [[nodiscard]] std::byte* data() const { return static_cast<std::byte*>(address_); }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::span<std::byte> bytes() const { return {data(), size_}; }

  // The `T` that the kernel put `offset` bytes into the mapping.
  template <class T>
  [[nodiscard]] T* at(std::size_t offset) const {
    return reinterpret_cast<T*>(data() + offset);
  }

 private:
  MappedRegion(void* address, std::size_t size) : address_(address), size_(size) {}
  void release();

  void* address_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace uring
