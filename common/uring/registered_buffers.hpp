#pragma once
// Registered ("fixed") buffers: memory that the kernel pins once, so that READ_FIXED and WRITE_FIXED
// need not look its pages up for every operation.
//
// This class is the table and its lifetime. The memory is the caller's and must outlive both the
// table and every operation on it. It needs no alignment of any kind (O_DIRECT asks for some of its
// own). Pinned pages count against RLIMIT_MEMLOCK of the user, over all processes, unless
// CAP_IPC_LOCK.

#include <sys/uio.h>

#include <cstdint>
#include <span>

#include "common/base/errno.hpp"
#include "common/uring/ring.hpp"

namespace uring {

class RegisteredBuffers {
 public:
  // Registers `buffers`, slot i for buffers[i]: at most 16384 of at most 1 GiB each. Linux 5.1.
  // ENOMEM: RLIMIT_MEMLOCK. The kernel gives pinned memory back a moment after a ring is closed, so
  // a program started again at once may see it: retried for up to 100 ms. EBUSY: the ring has a
  // table. EFAULT: memory that is not there. EOPNOTSUPP: file-backed memory that cannot be pinned.
  [[nodiscard]] static base::Result<RegisteredBuffers> create(Ring& ring,
                                                              std::span<const iovec> buffers);
  // A table of `count` empty slots, for update(). Linux 5.19, Feature::SparseBuffers; EINVAL before.
  [[nodiscard]] static base::Result<RegisteredBuffers> create_sparse(Ring& ring,
                                                                     std::uint32_t count);

  RegisteredBuffers(RegisteredBuffers&& other) noexcept
      : ring_(std::exchange(other.ring_, nullptr)), size_(other.size_) {}
  RegisteredBuffers& operator=(RegisteredBuffers&&) = delete;
  RegisteredBuffers(const RegisteredBuffers&) = delete;
  RegisteredBuffers& operator=(const RegisteredBuffers&) = delete;
  // Unregisters. Operations in flight keep their buffer until they have completed.
  ~RegisteredBuffers();

  // Puts `buffer` into slot `index`; operations in flight keep what was there. An empty iovec clears
  // the slot. Linux 5.13, Feature::BufferUpdate. EINVAL: the slot is out of range.
  [[nodiscard]] base::Result<void> update(std::uint32_t index, const iovec& buffer);

  [[nodiscard]] std::uint32_t size() const { return size_; }

 private:
  RegisteredBuffers(Ring& ring, std::uint32_t size) : ring_(&ring), size_(size) {}

  Ring* ring_;
  std::uint32_t size_;
};

}  // namespace uring
