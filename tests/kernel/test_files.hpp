#pragma once
// Files for a test to work on: a connected pair of sockets, and an unnamed file in memory.

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <span>
#include <string_view>

#include "common/base/check.hpp"
#include "common/base/unique_fd.hpp"

namespace kernel_test {

struct SocketPair {
  base::UniqueFd near;
  base::UniqueFd far;

  SocketPair() {
    std::array<int, 2> fds{};
    CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) == 0);
    near.reset(fds[0]);
    far.reset(fds[1]);
  }
};

// Writes with write(2): at the file position.
inline void write_text(int fd, std::string_view text) {
  CHECK(::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

inline base::UniqueFd make_file(std::string_view content) {
  base::UniqueFd file(::memfd_create("kernel_test", MFD_CLOEXEC));
  CHECK(file.valid());
  write_text(file.get(), content);
  return file;
}

inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace kernel_test
