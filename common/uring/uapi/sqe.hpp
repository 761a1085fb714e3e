// The submission queue entry: one request, 64 bytes, written by us and read by the kernel.
#pragma once

#include <cstddef>
#include <cstdint>

namespace uring {

// One request. Linux 5.1. One layout serves every opcode: a field of a union is named after the use
// that one kind of request makes of it. Two names at the same offset are the same bytes: set only
// the fields that the opcode reads and leave the rest zero.
struct io_uring_sqe {
  // URING_CMD on a socket: which option to get or set. The kernel's header has these two fields in
  // a struct without a name, which is not C++.
  struct SocketOption {
    std::uint32_t level;    // 6.7: SOL_SOCKET, IPPROTO_TCP ...
    std::uint32_t optname;  // 6.7: SO_REUSEPORT, TCP_NODELAY ...
  };

  std::uint8_t opcode;   // 5.1: an io_uring_op
  std::uint8_t flags;    // 5.1: IOSQE_...
  std::uint16_t ioprio;  // 5.1: I/O priority of a file request; accept, send and recv keep flags of
                         // their own here
  std::int32_t fd;       // 5.1: the file, or its index in the file table with IOSQE_FIXED_FILE
  union {
    std::uint64_t off;  // 5.1: offset in the file; also user_data for MSG_RING, a count for TIMEOUT
    std::uint64_t addr2;   // 5.5: a second pointer, such as accept's socklen_t*
    std::uint32_t cmd_op;  // 5.19: which command URING_CMD carries
  };
  union {
    std::uint64_t addr;  // 5.1: the buffer, iovecs, path or timespec; the target of a cancel
    std::uint64_t splice_off_in;  // 5.7: offset in the file that is spliced from
    SocketOption sockopt;         // 6.7: see above
  };
  std::uint32_t len;  // 5.1: bytes in the buffer, or number of iovecs; the mode of an open
  union {
    std::uint32_t rw_flags;       // 5.1: RWF_... of preadv2(2)
    std::uint32_t fsync_flags;    // 5.1: IORING_FSYNC_...
    std::uint16_t poll_events;    // 5.1: POLLIN ... in 16 bits, from before IORING_FEAT_POLL_32BITS
    std::uint32_t poll32_events;  // 5.9: POLLIN ... in 32 bits; on big-endian machines with its
                                  // halves swapped
    std::uint32_t sync_range_flags;  // 5.2: SYNC_FILE_RANGE_...
    std::uint32_t msg_flags;         // 5.3: MSG_... of send(2) and recv(2)
    std::uint32_t timeout_flags;     // 5.5: IORING_TIMEOUT_...
    std::uint32_t accept_flags;      // 5.5: SOCK_... of accept4(2)
    std::uint32_t cancel_flags;      // 5.5: IORING_ASYNC_CANCEL_... (which exist since 5.19)
    std::uint32_t open_flags;        // 5.6: O_... of openat(2)
    std::uint32_t statx_flags;       // 5.6: AT_... of statx(2)
    std::uint32_t fadvise_advice;    // 5.6: POSIX_FADV_... or MADV_...
    std::uint32_t splice_flags;      // 5.7: SPLICE_F_...
    std::uint32_t rename_flags;      // 5.11: RENAME_... of renameat2(2)
    std::uint32_t unlink_flags;      // 5.11: AT_REMOVEDIR
    std::uint32_t hardlink_flags;    // 5.15: AT_... of linkat(2)
    std::uint32_t xattr_flags;       // 5.19: XATTR_CREATE, XATTR_REPLACE
    std::uint32_t msg_ring_flags;    // 6.0: IORING_MSG_RING_...
    std::uint32_t uring_cmd_flags;   // 6.1: IORING_URING_CMD_...
    std::uint32_t waitid_flags;      // 6.7: must be zero so far
    std::uint32_t futex_flags;       // 6.7: must be zero so far
    std::uint32_t install_fd_flags;  // 6.8: IORING_FIXED_FD_...
    std::uint32_t nop_flags;         // 6.10: IORING_NOP_...
    std::uint32_t pipe_flags;        // 6.16: O_... of pipe2(2)
  };
  std::uint64_t user_data;  // 5.1: ours: it comes back unchanged in the CQE
  union {
    std::uint16_t buf_index;  // 5.1: which registered buffer
    std::uint16_t buf_group;  // 5.7: which group of provided buffers, with IOSQE_BUFFER_SELECT
  };
  std::uint16_t personality;  // 5.6: registered credentials to use, 0 for the submitter's own
  union {
    std::int32_t splice_fd_in;   // 5.7: the file that is spliced from
    std::uint32_t file_index;    // 5.15: slot + 1 for a new direct descriptor, 0 for an ordinary fd
    std::uint32_t zcrx_ifq_idx;  // 6.15: which zero-copy receive queue RECV_ZC uses
    std::uint32_t optlen;        // 6.7: size of a socket option's value; 6.17: how many bytes a
                                 // multishot RECV receives in all
    std::uint16_t addr_len;      // 6.0: size of the address that SEND goes to
    std::uint8_t write_stream;   // 6.16: where a device that sorts data by lifetime should put it
  };
  union {
    std::uint64_t addr3;     // 5.19: a third pointer, such as the path of GETXATTR
    std::uint64_t attr_ptr;  // 6.14: pointer to the attributes of a read or write
    std::uint64_t optval;    // 6.7: pointer to a socket option's value
  };
  std::uint64_t attr_type_mask;  // 6.14: what attr_ptr points to: IORING_RW_ATTR_FLAG_...
  // With IORING_SETUP_SQE128 the entry is 128 bytes long, and its last 80, from addr3 on, are
  // URING_CMD's own.
};

static_assert(sizeof(io_uring_sqe) == 64);
static_assert(alignof(io_uring_sqe) == 8);
static_assert(offsetof(io_uring_sqe, opcode) == 0);
static_assert(offsetof(io_uring_sqe, flags) == 1);
static_assert(offsetof(io_uring_sqe, ioprio) == 2);
static_assert(offsetof(io_uring_sqe, fd) == 4);
static_assert(offsetof(io_uring_sqe, off) == 8);
static_assert(offsetof(io_uring_sqe, addr) == 16);
static_assert(offsetof(io_uring_sqe, len) == 24);
static_assert(offsetof(io_uring_sqe, rw_flags) == 28);
static_assert(offsetof(io_uring_sqe, user_data) == 32);
static_assert(offsetof(io_uring_sqe, buf_index) == 40);
static_assert(offsetof(io_uring_sqe, personality) == 42);
static_assert(offsetof(io_uring_sqe, file_index) == 44);
static_assert(offsetof(io_uring_sqe, addr3) == 48);
static_assert(offsetof(io_uring_sqe, attr_type_mask) == 56);

// Bit numbers of io_uring_sqe::flags.
enum io_uring_sqe_flags_bit : std::uint8_t {
  IOSQE_FIXED_FILE_BIT = 0,        // 5.1
  IOSQE_IO_DRAIN_BIT = 1,          // 5.2
  IOSQE_IO_LINK_BIT = 2,           // 5.3
  IOSQE_IO_HARDLINK_BIT = 3,       // 5.5
  IOSQE_ASYNC_BIT = 4,             // 5.6
  IOSQE_BUFFER_SELECT_BIT = 5,     // 5.7
  IOSQE_CQE_SKIP_SUCCESS_BIT = 6,  // 5.17
};

// io_uring_sqe::flags, valid for every opcode.

// 5.1: fd is an index in the registered file table
inline constexpr std::uint8_t IOSQE_FIXED_FILE = 1u << 0;
// 5.2: start after all earlier, before all later ones
inline constexpr std::uint8_t IOSQE_IO_DRAIN = 1u << 1;
// 5.3: the next SQE starts when this one succeeded
inline constexpr std::uint8_t IOSQE_IO_LINK = 1u << 2;
// 5.5: the next SQE starts when this one ended
inline constexpr std::uint8_t IOSQE_IO_HARDLINK = 1u << 3;
// 5.6: give it to a worker thread without trying first
inline constexpr std::uint8_t IOSQE_ASYNC = 1u << 4;
// 5.7: take a provided buffer of group buf_group
inline constexpr std::uint8_t IOSQE_BUFFER_SELECT = 1u << 5;
// 5.17: no CQE if the request succeeds
inline constexpr std::uint8_t IOSQE_CQE_SKIP_SUCCESS = 1u << 6;

// io_uring_sqe::file_index

// 5.19: the kernel picks the slot and returns it
inline constexpr std::uint32_t IORING_FILE_INDEX_ALLOC = ~0u;

// io_uring_sqe::attr_type_mask

// 6.14: attr_ptr points to an io_uring_attr_pi
inline constexpr std::uint64_t IORING_RW_ATTR_FLAG_PI = 1u << 0;

// Protection information (checksums kept beside the data) of a read or write on a block device.
// Linux 6.14.
struct io_uring_attr_pi {
  std::uint16_t flags;    // which checks the device makes: IO_INTEGRITY_CHK_... of <linux/fs.h>
  std::uint16_t app_tag;  // the application's tag
  std::uint32_t len;      // bytes at addr
  std::uint64_t addr;     // pointer to the protection information
  std::uint64_t seed;     // start value of the reference tag
  std::uint64_t rsvd;
};
static_assert(sizeof(io_uring_attr_pi) == 32);

}  // namespace uring
