#pragma once
// Registered ("fixed") files: a table of the ring that SQEs refer to by index with IOSQE_FIXED_FILE,
// which saves the lookup and the reference count of a descriptor per operation. The kernel holds its
// own reference: the descriptor may be closed once it is in the table.
//
// An index is not a descriptor. Passing one for the other names some other file, silently.

#include <cstdint>
#include <span>

#include "common/base/errno.hpp"
#include "common/uring/ring.hpp"

namespace uring {

class RegisteredFiles {
 public:
  // A table of `count` empty slots (at most 2^15, and RLIMIT_NOFILE). Linux 5.5: an empty slot is
  // written as -1. EMFILE: above the limit. EBUSY: the ring has a table.
  [[nodiscard]] static base::Result<RegisteredFiles> create_sparse(Ring& ring, std::uint32_t count);
  // A table of these descriptors, slot i for fds[i].
  [[nodiscard]] static base::Result<RegisteredFiles> create(Ring& ring, std::span<const int> fds);

  RegisteredFiles(RegisteredFiles&& other) noexcept
      : ring_(std::exchange(other.ring_, nullptr)), size_(other.size_) {}
  RegisteredFiles& operator=(RegisteredFiles&&) = delete;
  RegisteredFiles(const RegisteredFiles&) = delete;
  RegisteredFiles& operator=(const RegisteredFiles&) = delete;
  // Unregisters. Operations in flight keep their file until they have completed.
  ~RegisteredFiles();

  // Puts `fd` into slot `index`, replacing what was there; operations in flight keep the old file.
  // EINVAL: the slot is out of range. EBADF: no such descriptor, and the slot is empty now.
  [[nodiscard]] base::Result<void> set(std::uint32_t index, int fd);
  // Empties the slot. The kernel drops its reference when the last operation on it has completed.
  [[nodiscard]] base::Result<void> clear(std::uint32_t index) { return update(index, -1); }

  [[nodiscard]] std::uint32_t size() const { return size_; }

 private:
  RegisteredFiles(Ring& ring, std::uint32_t size) : ring_(&ring), size_(size) {}
  [[nodiscard]] base::Result<void> update(std::uint32_t index, int fd);

  Ring* ring_;
  std::uint32_t size_;
};

}  // namespace uring
