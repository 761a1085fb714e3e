// What a booted kernel offers, asked with raw system calls and nothing of common/uring: the harness
// runs this first in every machine, so that a broken boot is told apart from a broken project. Exit
// status 1: tests on this machine would mean nothing.
//
// KERNEL(5.1): io_uring_setup(2) exists. KERNEL(5.4): it reports its features in io_uring_params.

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>

namespace {

constexpr long kIoUringSetup = 425;  // the same number on every architecture
constexpr long kTmpfsMagic = 0x01021994;

// struct io_uring_params, of which only `features` is read here: word 5 of 120 bytes.
struct Params {
  std::uint32_t words[30];
};

bool report(const char* what, bool good) {
  std::printf("%s: %s%s%s\n", what, good ? "yes" : "NO", good ? "" : ", ",
              good ? "" : std::strerror(errno));
  return good;
}

bool has_io_uring() {
  Params params{};
  const long fd = syscall(kIoUringSetup, 8, &params);
  if (!report("io_uring_setup", fd >= 0)) {
    return false;
  }
  std::printf("io_uring features: 0x%x\n", params.words[5]);
  close(static_cast<int>(fd));
  return true;
}

bool loopback_connects() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  return report("TCP over loopback", bind(listener, generic, length) == 0 &&
                                         listen(listener, 1) == 0 &&
                                         getsockname(listener, generic, &length) == 0 &&
                                         connect(client, generic, length) == 0);
}

bool tmp_is_tmpfs() {
  struct statfs info {};
  return report("tmpfs on /tmp", statfs("/tmp", &info) == 0 && info.f_type == kTmpfsMagic);
}

bool has_proc_and_devices() {
  return report("/proc", access("/proc/self/fdinfo", R_OK) == 0) &
         report("/dev/null", open("/dev/null", O_RDWR | O_CLOEXEC) >= 0) &
         report("unix sockets", socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0);
}

}  // namespace

int main() {
  utsname name{};
  uname(&name);
  std::printf("Linux %s on %ld CPUs\n", name.release, sysconf(_SC_NPROCESSORS_ONLN));
  const bool good = has_io_uring() & loopback_connects() & tmp_is_tmpfs() & has_proc_and_devices();
  return good ? 0 : 1;
}
