// Which memory can be registered, and what it is charged to.

#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "common/uring/mapped_region.hpp"
#include "common/uring/registered_buffers.hpp"
#include "tests/kernel/kernel_test.hpp"
#include "tests/kernel/test_files.hpp"

namespace {

// 0, or the error that registering this mapping ends with.
int registration_error(void* address, std::size_t size) {
  CHECK(address != MAP_FAILED);
  uring::Ring ring = kernel_test::make_ring();
  const std::array table{iovec{address, size}};
  const auto registered = uring::RegisteredBuffers::create(ring, table);
  return registered ? 0 : registered.error().value;
}

class MappedFile {
 public:
  MappedFile(int fd, int flags)
      : address_(::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, flags, fd, 0)) {}
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile() { ::munmap(address_, kSize); }

  [[nodiscard]] int registration_error() const { return ::registration_error(address_, kSize); }

  static constexpr std::size_t kSize = 4096;

 private:
  void* address_;
};

TEST(RegisteredMemory, APrivateMappingOfAFileCanBeRegistered) {
  NEEDS_LINUX(5, 15, "only anonymous memory can be registered");
  const base::UniqueFd file = kernel_test::make_file(std::string(MappedFile::kSize, 'x'));
  EXPECT_EQ(MappedFile(file.get(), MAP_PRIVATE).registration_error(), 0);
}

TEST(RegisteredMemory, SharedMemoryCanBeRegistered) {
  NEEDS_LINUX(5, 15, "only anonymous memory can be registered");
  const base::UniqueFd file = kernel_test::make_file(std::string(MappedFile::kSize, 'x'));
  EXPECT_EQ(MappedFile(file.get(), MAP_SHARED).registration_error(), 0);
}

TEST(RegisteredMemory, ASharedMappingOfAFileOnDiskCannot) {
  constexpr auto kTmpfsMagic = 0x01021994;
  std::string path = "./registered_memory_XXXXXX";
  const base::UniqueFd file(::mkstemp(path.data()));
  if (!file.valid()) {
    GTEST_SKIP() << "the working directory is not writable";
  }
  ::unlink(path.c_str());
  struct statfs where {};
  ASSERT_EQ(::fstatfs(file.get(), &where), 0);
  if (where.f_type == kTmpfsMagic) {
    GTEST_SKIP() << "the working directory is in memory, not on a disk";
  }
  ASSERT_EQ(::ftruncate(file.get(), MappedFile::kSize), 0);
  const int error = MappedFile(file.get(), MAP_SHARED).registration_error();
  EXPECT_TRUE(error == EOPNOTSUPP || error == EFAULT)
      << "it ended with " << base::Errno{error}.name();
}

// Takes CAP_IPC_LOCK from the calling process, where it had it.
void drop_ipc_lock() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, 2> data{};
  CHECK(::syscall(SYS_capget, &header, data.data()) == 0);
  data[0].effective &= ~(1U << CAP_IPC_LOCK);
  CHECK(::syscall(SYS_capset, &header, data.data()) == 0);
}

TEST(RegisteredMemory, IsChargedToTheLimitOnLockedMemory) {
  constexpr std::size_t kMiB = 1024 * 1024;
  // In a child: what is dropped there stays dropped there. Its exit status is the error.
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    drop_ipc_lock();
    const rlimit limit{.rlim_cur = kMiB, .rlim_max = kMiB};
    CHECK(::setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
    const auto memory = uring::MappedRegion::anonymous(2 * kMiB);
    CHECK(memory.has_value());
    ::_exit(registration_error(memory->data(), memory->size()));
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), ENOMEM) << "2 MiB at a limit of 1 MiB";
}

}  // namespace
