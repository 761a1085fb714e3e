// What belongs to sockets alone: commands of URING_CMD, and what the kernel writes before a
// received message.
#pragma once

#include <cstddef>
#include <cstdint>

namespace uring {

// sqe.cmd_op of URING_CMD on a socket
enum io_uring_socket_op : std::uint32_t {
  SOCKET_URING_OP_SIOCINQ = 0,       // 6.6: bytes waiting to be received
  SOCKET_URING_OP_SIOCOUTQ = 1,      // 6.6: bytes sent and not yet acknowledged
  SOCKET_URING_OP_GETSOCKOPT = 2,    // 6.7: getsockopt(2), of level SOL_SOCKET
  SOCKET_URING_OP_SETSOCKOPT = 3,    // 6.7: setsockopt(2)
  SOCKET_URING_OP_TX_TIMESTAMP = 4,  // 6.17: when packets left; a multishot with 32-byte CQEs
  SOCKET_URING_OP_GETSOCKNAME = 5,   // 6.19: getsockname(2), getpeername(2)
};

// A multishot RECVMSG puts this at the start of each provided buffer; name, control data and
// payload follow, the first two in the room that the msghdr asked for. Linux 6.0.
struct io_uring_recvmsg_out {
  std::uint32_t namelen;     // bytes of the address, which may be more than there was room for
  std::uint32_t controllen;  // bytes of control data
  std::uint32_t payloadlen;  // bytes of payload, which may be more than there was room for
  std::uint32_t flags;       // MSG_TRUNC ... of recvmsg(2)
};
static_assert(sizeof(io_uring_recvmsg_out) == 16);

// SOCKET_URING_OP_TX_TIMESTAMP: the flags of its CQEs. An io_timespec is the second half of each.

// 6.17: the bit of F_TSTAMP_HW
inline constexpr std::uint32_t IORING_TIMESTAMP_HW_SHIFT = 16;
// 6.17: the type (SCM_TSTAMP_...) = flags >> this
inline constexpr std::uint32_t IORING_TIMESTAMP_TYPE_SHIFT = IORING_TIMESTAMP_HW_SHIFT + 1;
// 6.17: the network card took the time, not the kernel
inline constexpr std::uint32_t IORING_CQE_F_TSTAMP_HW = 1u << IORING_TIMESTAMP_HW_SHIFT;

// A timestamp. Linux 6.17.
struct io_timespec {
  std::uint64_t tv_sec;
  std::uint64_t tv_nsec;
};
static_assert(sizeof(io_timespec) == 16);

}  // namespace uring
