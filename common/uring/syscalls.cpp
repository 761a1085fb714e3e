#include "common/uring/syscalls.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include "common/base/check.hpp"

namespace uring::sys {

base::Result<int> io_uring_setup(std::uint32_t entries, io_uring_params& params) {
  const long result = ::syscall(kSyscallIoUringSetup, entries, &params);
  if (result < 0) {
    return base::fail(base::last_error());
  }
  return static_cast<int>(result);
}

base::Result<int> io_uring_register(int fd, std::uint32_t opcode, const void* argument,
                                    std::uint32_t count) {
  const long result = ::syscall(kSyscallIoUringRegister, fd, opcode, argument, count);
  if (result < 0) {
    return base::fail(base::last_error());
  }
  return static_cast<int>(result);
}

base::Result<void*> map_ring(int fd, std::size_t size, std::uint64_t offset) {
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
                         static_cast<off_t>(offset));
  if (address == MAP_FAILED) {
    return base::fail(base::last_error());
  }
  return address;
}

base::Result<void*> map_memory(std::size_t size) {
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (address == MAP_FAILED) {
    return base::fail(base::last_error());
  }
  return address;
}

void unmap(void* address, std::size_t size) {
  CHECK(::munmap(address, size) == 0, "munmap fails only on what was not mapped");
}

}  // namespace uring::sys
