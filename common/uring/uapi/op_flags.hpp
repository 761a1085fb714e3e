// Flags that belong to single opcodes, grouped by the opcode; each group says which field of the
// SQE they go into.
#pragma once

#include <cstdint>

namespace uring {

// NOP: sqe.nop_flags

// 6.10: complete with sqe.len as the result
inline constexpr std::uint32_t IORING_NOP_INJECT_RESULT = 1u << 0;
// 6.13: look sqe.fd up, to measure what that costs
inline constexpr std::uint32_t IORING_NOP_FILE = 1u << 1;
// 6.13: sqe.fd is an index in the file table
inline constexpr std::uint32_t IORING_NOP_FIXED_FILE = 1u << 2;
// 6.13: look registered buffer sqe.buf_index up
inline constexpr std::uint32_t IORING_NOP_FIXED_BUFFER = 1u << 3;
// 6.16: complete by task work, not inline
inline constexpr std::uint32_t IORING_NOP_TW = 1u << 4;
// 6.18: complete with a 32-byte CQE
inline constexpr std::uint32_t IORING_NOP_CQE32 = 1u << 5;

// FSYNC: sqe.fsync_flags

// 5.1: fdatasync(2): metadata only as far as needed
inline constexpr std::uint32_t IORING_FSYNC_DATASYNC = 1u << 0;

// SPLICE and TEE: sqe.splice_flags, beside the SPLICE_F_ flags of splice(2)

// 5.7: splice_fd_in is an index in the file table
inline constexpr std::uint32_t SPLICE_F_FD_IN_FIXED = 1u << 31;

// TIMEOUT, TIMEOUT_REMOVE and LINK_TIMEOUT: sqe.timeout_flags

// 5.5: a point in time, not a duration
inline constexpr std::uint32_t IORING_TIMEOUT_ABS = 1u << 0;
// 5.11: TIMEOUT_REMOVE sets a new time
inline constexpr std::uint32_t IORING_TIMEOUT_UPDATE = 1u << 1;
// 5.15: CLOCK_BOOTTIME, not CLOCK_MONOTONIC
inline constexpr std::uint32_t IORING_TIMEOUT_BOOTTIME = 1u << 2;
// 5.15: CLOCK_REALTIME, not CLOCK_MONOTONIC
inline constexpr std::uint32_t IORING_TIMEOUT_REALTIME = 1u << 3;
// 5.15: TIMEOUT_UPDATE for a LINK_TIMEOUT
inline constexpr std::uint32_t IORING_LINK_TIMEOUT_UPDATE = 1u << 4;
// 5.16: -ETIME does not break a chain of links
inline constexpr std::uint32_t IORING_TIMEOUT_ETIME_SUCCESS = 1u << 5;
// 6.4: fires again and again, sqe.off times
inline constexpr std::uint32_t IORING_TIMEOUT_MULTISHOT = 1u << 6;
// 7.1: sqe.addr holds nanoseconds, no pointer
inline constexpr std::uint32_t IORING_TIMEOUT_IMMEDIATE_ARG = 1u << 7;
// 5.15: the bits that choose the clock
inline constexpr std::uint32_t IORING_TIMEOUT_CLOCK_MASK =
    IORING_TIMEOUT_BOOTTIME | IORING_TIMEOUT_REALTIME;
// 5.15: the bits that make a removal an update
inline constexpr std::uint32_t IORING_TIMEOUT_UPDATE_MASK =
    IORING_TIMEOUT_UPDATE | IORING_LINK_TIMEOUT_UPDATE;

// POLL_ADD and POLL_REMOVE: sqe.len, because the events take the flags word

// 5.13: a CQE for every event, not only the first
inline constexpr std::uint32_t IORING_POLL_ADD_MULTI = 1u << 0;
// 5.13: change the events waited for
inline constexpr std::uint32_t IORING_POLL_UPDATE_EVENTS = 1u << 1;
// 5.13: change the user_data
inline constexpr std::uint32_t IORING_POLL_UPDATE_USER_DATA = 1u << 2;
// 6.0: level triggered; edge is the default
inline constexpr std::uint32_t IORING_POLL_ADD_LEVEL = 1u << 3;

// ASYNC_CANCEL: sqe.cancel_flags; also io_uring_sync_cancel_reg::flags

// 5.19: all that match, and say how many
inline constexpr std::uint32_t IORING_ASYNC_CANCEL_ALL = 1u << 0;
// 5.19: match by sqe.fd, not by user_data
inline constexpr std::uint32_t IORING_ASYNC_CANCEL_FD = 1u << 1;
// 5.19: everything matches
inline constexpr std::uint32_t IORING_ASYNC_CANCEL_ANY = 1u << 2;
// 6.0: sqe.fd is an index in the file table
inline constexpr std::uint32_t IORING_ASYNC_CANCEL_FD_FIXED = 1u << 3;
// 6.6: match by user_data too
inline constexpr std::uint32_t IORING_ASYNC_CANCEL_USERDATA = 1u << 4;
// 6.6: match by opcode, given in sqe.len
inline constexpr std::uint32_t IORING_ASYNC_CANCEL_OP = 1u << 5;

// SEND, SENDMSG, RECV, RECVMSG and their zero-copy forms: sqe.ioprio

// 5.19: wait for readiness before the first try
inline constexpr std::uint16_t IORING_RECVSEND_POLL_FIRST = 1u << 0;
// 6.0: a CQE for all that comes, until F_MORE is off
inline constexpr std::uint16_t IORING_RECV_MULTISHOT = 1u << 1;
// 6.0: SEND_ZC from registered buffer buf_index
inline constexpr std::uint16_t IORING_RECVSEND_FIXED_BUF = 1u << 2;
// 6.2: the notification says whether data was copied
inline constexpr std::uint16_t IORING_SEND_ZC_REPORT_USAGE = 1u << 3;
// 6.10: many provided buffers in one request
inline constexpr std::uint16_t IORING_RECVSEND_BUNDLE = 1u << 4;
// 6.17: SEND and SEND_ZC take an array of iovecs
inline constexpr std::uint16_t IORING_SEND_VECTORIZED = 1u << 5;

// The result of a SEND_ZC notification, with IORING_SEND_ZC_REPORT_USAGE

// 6.2: some of the data was copied after all
inline constexpr std::uint32_t IORING_NOTIF_USAGE_ZC_COPIED = 1u << 31;

// ACCEPT: sqe.ioprio

// 5.19: a CQE for every connection
inline constexpr std::uint16_t IORING_ACCEPT_MULTISHOT = 1u << 0;
// 6.10: -EAGAIN when no connection is waiting
inline constexpr std::uint16_t IORING_ACCEPT_DONTWAIT = 1u << 1;
// 6.10: wait for readiness before the first try
inline constexpr std::uint16_t IORING_ACCEPT_POLL_FIRST = 1u << 2;

// MSG_RING: what kind of message, in sqe.addr
enum io_uring_msg_ring_flags : std::uint64_t {
  IORING_MSG_DATA = 0,     // 5.18: the target's CQE gets sqe.len as res and sqe.off as user_data
  IORING_MSG_SEND_FD = 1,  // 6.0: a direct descriptor goes into the target's file table
};

// MSG_RING: sqe.msg_ring_flags

// 6.0: SEND_FD without a CQE on the target
inline constexpr std::uint32_t IORING_MSG_RING_CQE_SKIP = 1u << 0;
// 6.3: sqe.file_index becomes the CQE's flags
inline constexpr std::uint32_t IORING_MSG_RING_FLAGS_PASS = 1u << 1;

// FIXED_FD_INSTALL: sqe.install_fd_flags

// 6.8: the new fd stays open across execve(2)
inline constexpr std::uint32_t IORING_FIXED_FD_NO_CLOEXEC = 1u << 0;

// URING_CMD: sqe.uring_cmd_flags; the top 8 bits are the kernel's own

// 6.1: the command uses a registered buffer
inline constexpr std::uint32_t IORING_URING_CMD_FIXED = 1u << 0;
// 6.18: many CQEs, with a provided buffer each
inline constexpr std::uint32_t IORING_URING_CMD_MULTISHOT = 1u << 1;
// 6.7: the bits a program may set
inline constexpr std::uint32_t IORING_URING_CMD_MASK =
    IORING_URING_CMD_FIXED | IORING_URING_CMD_MULTISHOT;

}  // namespace uring
