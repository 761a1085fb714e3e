// The opcodes: what a request can ask for. IORING_REGISTER_PROBE tells which of them a kernel has.
#pragma once

#include <cstdint>

namespace uring {

enum io_uring_op : std::uint8_t {
  IORING_OP_NOP = 0,                // 5.1: nothing; its CQE comes at once
  IORING_OP_READV = 1,              // 5.1: preadv2(2)
  IORING_OP_WRITEV = 2,             // 5.1: pwritev2(2)
  IORING_OP_FSYNC = 3,              // 5.1: fsync(2), fdatasync(2)
  IORING_OP_READ_FIXED = 4,         // 5.1: read into a registered buffer
  IORING_OP_WRITE_FIXED = 5,        // 5.1: write from a registered buffer
  IORING_OP_POLL_ADD = 6,           // 5.1: wait until a file is ready
  IORING_OP_POLL_REMOVE = 7,        // 5.1: end a POLL_ADD, or change it (5.13)
  IORING_OP_SYNC_FILE_RANGE = 8,    // 5.2: sync_file_range(2)
  IORING_OP_SENDMSG = 9,            // 5.3: sendmsg(2)
  IORING_OP_RECVMSG = 10,           // 5.3: recvmsg(2)
  IORING_OP_TIMEOUT = 11,           // 5.4: complete after a time, or after a number of CQEs
  IORING_OP_TIMEOUT_REMOVE = 12,    // 5.5: end a TIMEOUT, or change it (5.11)
  IORING_OP_ACCEPT = 13,            // 5.5: accept4(2)
  IORING_OP_ASYNC_CANCEL = 14,      // 5.5: cancel other requests
  IORING_OP_LINK_TIMEOUT = 15,      // 5.5: a time limit for the request that it is linked to
  IORING_OP_CONNECT = 16,           // 5.5: connect(2)
  IORING_OP_FALLOCATE = 17,         // 5.6: fallocate(2)
  IORING_OP_OPENAT = 18,            // 5.6: openat(2)
  IORING_OP_CLOSE = 19,             // 5.6: close(2), or empty a slot of the file table (5.15)
  IORING_OP_FILES_UPDATE = 20,      // 5.6: REGISTER_FILES_UPDATE as a request
  IORING_OP_STATX = 21,             // 5.6: statx(2)
  IORING_OP_READ = 22,              // 5.6: pread(2)
  IORING_OP_WRITE = 23,             // 5.6: pwrite(2)
  IORING_OP_FADVISE = 24,           // 5.6: posix_fadvise(2)
  IORING_OP_MADVISE = 25,           // 5.6: madvise(2)
  IORING_OP_SEND = 26,              // 5.6: send(2), or sendto(2) (6.0)
  IORING_OP_RECV = 27,              // 5.6: recv(2)
  IORING_OP_OPENAT2 = 28,           // 5.6: openat2(2)
  IORING_OP_EPOLL_CTL = 29,         // 5.6: epoll_ctl(2)
  IORING_OP_SPLICE = 30,            // 5.7: splice(2)
  IORING_OP_PROVIDE_BUFFERS = 31,   // 5.7: give the kernel buffers (see REGISTER_PBUF_RING)
  IORING_OP_REMOVE_BUFFERS = 32,    // 5.7: take such buffers back
  IORING_OP_TEE = 33,               // 5.8: tee(2)
  IORING_OP_SHUTDOWN = 34,          // 5.11: shutdown(2)
  IORING_OP_RENAMEAT = 35,          // 5.11: renameat2(2)
  IORING_OP_UNLINKAT = 36,          // 5.11: unlinkat(2)
  IORING_OP_MKDIRAT = 37,           // 5.15: mkdirat(2)
  IORING_OP_SYMLINKAT = 38,         // 5.15: symlinkat(2)
  IORING_OP_LINKAT = 39,            // 5.15: linkat(2)
  IORING_OP_MSG_RING = 40,          // 5.18: post a CQE to another ring, or pass it a file (6.0)
  IORING_OP_FSETXATTR = 41,         // 5.19: fsetxattr(2)
  IORING_OP_SETXATTR = 42,          // 5.19: setxattr(2)
  IORING_OP_FGETXATTR = 43,         // 5.19: fgetxattr(2)
  IORING_OP_GETXATTR = 44,          // 5.19: getxattr(2)
  IORING_OP_SOCKET = 45,            // 5.19: socket(2)
  IORING_OP_URING_CMD = 46,         // 5.19: a command that the file's driver defines
  IORING_OP_SEND_ZC = 47,           // 6.0: send without copying; a second CQE frees the buffer
  IORING_OP_SENDMSG_ZC = 48,        // 6.1: the same for sendmsg
  IORING_OP_READ_MULTISHOT = 49,    // 6.7: keep reading into provided buffers while data comes
  IORING_OP_WAITID = 50,            // 6.7: waitid(2)
  IORING_OP_FUTEX_WAIT = 51,        // 6.7: wait on a futex
  IORING_OP_FUTEX_WAKE = 52,        // 6.7: wake waiters of a futex
  IORING_OP_FUTEX_WAITV = 53,       // 6.7: futex_waitv(2)
  IORING_OP_FIXED_FD_INSTALL = 54,  // 6.8: make an ordinary fd out of a direct descriptor
  IORING_OP_FTRUNCATE = 55,         // 6.9: ftruncate(2)
  IORING_OP_BIND = 56,              // 6.11: bind(2)
  IORING_OP_LISTEN = 57,            // 6.11: listen(2)
  IORING_OP_RECV_ZC = 58,           // 6.15: receive where the network card put the data
  IORING_OP_EPOLL_WAIT = 59,        // 6.15: epoll_wait(2)
  IORING_OP_READV_FIXED = 60,       // 6.15: vectored read into registered buffers
  IORING_OP_WRITEV_FIXED = 61,      // 6.15: vectored write from registered buffers
  IORING_OP_PIPE = 62,              // 6.16: pipe2(2)
  IORING_OP_NOP128 = 63,            // 6.19: NOP in a 128-byte SQE of a mixed ring
  IORING_OP_URING_CMD128 = 64,      // 6.19: URING_CMD in a 128-byte SQE of a mixed ring
  IORING_OP_LAST,                   // one past the newest opcode known here; not an opcode
};

}  // namespace uring
