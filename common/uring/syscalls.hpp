#pragma once
// The three system calls of io_uring, and the two that map its memory, as they are: no library
// below, no policy above. glibc has no functions for the three, so they go through syscall(2) by
// number (425, 426 and 427 on every architecture). This is the only place in common/uring
// and common/loop that reads `errno`: from here on, an error is a base::Errno.

#include <unistd.h>

#include <cstddef>
#include <cstdint>

#include "common/base/errno.hpp"
#include "common/uring/uapi.hpp"

namespace uring::sys {

// Creates a ring of at least `entries` SQEs and returns its file descriptor, which the caller
// owns. The kernel writes sizes, offsets and its feature word into `params`. Linux 5.1.
// EPERM or ENOSYS: io_uring is denied here (see features.hpp for who may deny it).
// EINVAL: a flag this kernel does not know, or a combination it does not take.
// ENOMEM, EMFILE, ENFILE: the process or the system is out of what a ring needs.
[[nodiscard]] base::Result<int> io_uring_setup(std::uint32_t entries, io_uring_params& params);

// Submits up to `to_submit` SQEs and, with IORING_ENTER_GETEVENTS, waits for `min_complete` CQEs.
// `argument` is a signal mask, an io_uring_getevents_arg (IORING_ENTER_EXT_ARG, 5.11) or null.
// Returns how many SQEs the kernel took: never a count of completions.
//
// Inline, like the calls of Ring that lead here: on its way the kernel spoils what the CPU had
// predicted about returns, so each function that has to return after the system call costs a
// misprediction. Measured: about 7 ns each, 3% of a submit of one NOP.
[[nodiscard]] inline base::Result<std::uint32_t> io_uring_enter(int fd, std::uint32_t to_submit,
                                                                std::uint32_t min_complete,
                                                                std::uint32_t flags,
                                                                const void* argument,
                                                                std::size_t argument_size) {
  const long result =
      ::syscall(kSyscallIoUringEnter, fd, to_submit, min_complete, flags, argument, argument_size);
  if (result < 0) [[unlikely]] {
    return base::fail(base::last_error());
  }
  return static_cast<std::uint32_t>(result);
}

// Registers what the kernel should keep for a ring (files, buffers, the ring itself ...).
// The result's meaning is the opcode's; usually 0.
[[nodiscard]] base::Result<int> io_uring_register(int fd, std::uint32_t opcode,
                                                  const void* argument, std::uint32_t count);

// Maps `size` bytes of the ring `fd` at one of the IORING_OFF_* offsets, shared and read-write,
// with its pages in place already (MAP_POPULATE), so that no access to a ring faults.
[[nodiscard]] base::Result<void*> map_ring(int fd, std::size_t size, std::uint64_t offset);

// Maps `size` bytes of fresh zeroed private memory: page-aligned, which provided-buffer rings and
// O_DIRECT want.
[[nodiscard]] base::Result<void*> map_memory(std::size_t size);

// Takes a mapping away. Fails only on arguments that were never a mapping, hence no Result.
void unmap(void* address, std::size_t size);

}  // namespace uring::sys
