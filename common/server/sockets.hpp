#pragma once
// How a server takes its connections, and how its operations name them.
//
// An ordinary socket has a descriptor. A direct one has a place in the ring's table of registered
// files instead, and nothing else: accepting it makes no descriptor, an operation on it looks none
// up, and no call but the ring's can name it. Connection::fd is the number of that place then.

#include <cstdint>

#include "common/uring/prep.hpp"
#include "common/uring/uapi.hpp"

namespace server {

struct Sockets {
  bool multishot_accept = false;  // needs uring::Feature::MultishotAccept
  bool direct = false;            // needs uring::Feature::DirectAccept

  // What every operation on Connection::fd needs, after its prep_*().
  void use(uring::io_uring_sqe& sqe) const {
    if (direct) {
      sqe.flags |= uring::IOSQE_FIXED_FILE;
    }
  }

  void prep_close(uring::io_uring_sqe& sqe, int fd) const {
    if (direct) {
      uring::prep_close_direct(sqe, static_cast<std::uint32_t>(fd));
    } else {
      uring::prep_close(sqe, fd);
    }
  }
};

}  // namespace server
