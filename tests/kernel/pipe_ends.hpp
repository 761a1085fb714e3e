#pragma once
// A pipe. Its ends do not block unless asked for.

#include <fcntl.h>
#include <unistd.h>

#include <array>

#include "common/base/check.hpp"
#include "common/base/unique_fd.hpp"

namespace kernel_test {

struct PipeEnds {
  base::UniqueFd read_end;
  base::UniqueFd write_end;

  explicit PipeEnds(int flags = O_NONBLOCK) {
    std::array<int, 2> fds{};
    CHECK(::pipe2(fds.data(), O_CLOEXEC | flags) == 0);
    read_end.reset(fds[0]);
    write_end.reset(fds[1]);
  }
};

}  // namespace kernel_test
