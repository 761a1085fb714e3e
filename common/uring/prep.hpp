#pragma once
// Fills SQEs. One function per operation: it writes the fields that the operation reads, and no
// others. `flags` (links, fixed files, buffer selection) and `user_data` are the caller's.
//
// What a pointer argument points to must stay alive until the completion, unless said otherwise.

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "common/uring/uapi.hpp"

struct open_how;
struct statx;

namespace uring {

[[nodiscard]] inline std::uint64_t user_address(const void* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer);
}

// `ns` must not be negative.
[[nodiscard]] inline __kernel_timespec to_timespec(std::int64_t ns) {
  constexpr std::int64_t kNsPerSecond = 1'000'000'000;
  return {.tv_sec = ns / kNsPerSecond, .tv_nsec = ns % kNsPerSecond};
}

// The part that read, write, send and recv share: where the bytes are and how many.
inline void prep_transfer(io_uring_sqe& sqe, io_uring_op opcode, int fd, const void* data,
                          std::size_t size, std::uint64_t offset) {
  sqe.opcode = opcode;
  sqe.fd = fd;
  sqe.addr = user_address(data);
  sqe.len = static_cast<std::uint32_t>(size);
  sqe.off = offset;
}

inline void prep_nop(io_uring_sqe& sqe) {
  sqe.opcode = IORING_OP_NOP;
  sqe.fd = -1;
}

// At most 2^32 - 1 bytes; the kernel transfers at most 0x7ffff000 in one operation. `offset` is
// absolute. -1 would use and move the file position, which two requests in flight would race for.
// Linux 5.6 (before: READV).
inline void prep_read(io_uring_sqe& sqe, int fd, std::span<std::byte> into, std::uint64_t offset) {
  prep_transfer(sqe, IORING_OP_READ, fd, into.data(), into.size(), offset);
}
inline void prep_write(io_uring_sqe& sqe, int fd, std::span<const std::byte> from,
                       std::uint64_t offset) {
  prep_transfer(sqe, IORING_OP_WRITE, fd, from.data(), from.size(), offset);
}

// The bytes must lie inside the registered buffer `buffer_index`. EFAULT: they do not, or the slot
// is empty. Linux 5.1.
inline void prep_read_fixed(io_uring_sqe& sqe, int fd, std::span<std::byte> into,
                            std::uint64_t offset, std::uint16_t buffer_index) {
  prep_transfer(sqe, IORING_OP_READ_FIXED, fd, into.data(), into.size(), offset);
  sqe.buf_index = buffer_index;
}
inline void prep_write_fixed(io_uring_sqe& sqe, int fd, std::span<const std::byte> from,
                             std::uint64_t offset, std::uint16_t buffer_index) {
  prep_transfer(sqe, IORING_OP_WRITE_FIXED, fd, from.data(), from.size(), offset);
  sqe.buf_index = buffer_index;
}

// Reads up to `size` bytes into a buffer that the kernel takes from `buffer_group`; the CQE names
// it. Linux 5.7.
inline void prep_read_select(io_uring_sqe& sqe, int fd, std::uint32_t size, std::uint64_t offset,
                             std::uint16_t buffer_group) {
  prep_transfer(sqe, IORING_OP_READ, fd, nullptr, size, offset);
  sqe.flags |= IOSQE_BUFFER_SELECT;
  sqe.buf_group = buffer_group;
}

// Moves up to `size` bytes from one descriptor to another, one of which is a pipe, without bringing
// them to us. An offset of kNoOffset: a pipe, or a socket. `splice_flags`: SPLICE_F_* of splice(2).
// KERNEL: always done by an io-wq worker, which waits unless the pipe or socket is non-blocking.
// Linux 5.7.
inline constexpr std::uint64_t kNoOffset = ~std::uint64_t{0};
inline void prep_splice(io_uring_sqe& sqe, int from, std::uint64_t from_offset, int to,
                        std::uint64_t to_offset, std::uint32_t size, std::uint32_t splice_flags) {
  sqe.opcode = IORING_OP_SPLICE;
  sqe.fd = to;
  sqe.off = to_offset;
  sqe.splice_fd_in = from;
  sqe.splice_off_in = from_offset;
  sqe.len = size;
  sqe.splice_flags = splice_flags;
}

inline void prep_recv(io_uring_sqe& sqe, int fd, std::span<std::byte> into, int msg_flags) {
  prep_transfer(sqe, IORING_OP_RECV, fd, into.data(), into.size(), 0);
  sqe.msg_flags = static_cast<std::uint32_t>(msg_flags);
}

// Into a buffer of `buffer_group`, as many bytes as it holds: the kernel cuts the size asked for down
// to that. KERNEL(5.15): a size of 0 would receive 0 bytes; newer kernels take it for "all of it" too.
// Linux 5.7.
inline void prep_recv_select(io_uring_sqe& sqe, int fd, std::uint16_t buffer_group, int msg_flags) {
  constexpr std::size_t kMoreThanAnyBuffer = 0x7fff'ffff;
  prep_transfer(sqe, IORING_OP_RECV, fd, nullptr, kMoreThanAnyBuffer, 0);
  sqe.msg_flags = static_cast<std::uint32_t>(msg_flags);
  sqe.flags |= IOSQE_BUFFER_SELECT;
  sqe.buf_group = buffer_group;
}

// One request, a completion per arrival, until one comes without IORING_CQE_F_MORE. Linux 6.0.
//
// `limit`: the completion that brings the bytes received in all to so many is the last. It is not cut
// for that and may bring more, as much as its buffer holds. 0: no limit, it takes what there is.
// Linux 6.17, Feature::MultishotRecvLimit.
inline void prep_recv_multishot(io_uring_sqe& sqe, int fd, std::uint16_t buffer_group,
                                int msg_flags, std::uint32_t limit = 0) {
  prep_recv_select(sqe, fd, buffer_group, msg_flags);
  sqe.len = 0;  // KERNEL(6.1): with a size, a multishot recv is EINVAL
  sqe.ioprio |= IORING_RECV_MULTISHOT;
  sqe.optlen = limit;
}

// MSG_NOSIGNAL is always added: a write to a dead socket is an EPIPE to handle, not a signal.
inline void prep_send(io_uring_sqe& sqe, int fd, std::span<const std::byte> from, int msg_flags) {
  prep_transfer(sqe, IORING_OP_SEND, fd, from.data(), from.size(), 0);
  sqe.msg_flags = static_cast<std::uint32_t>(msg_flags | MSG_NOSIGNAL);
}

// Several pieces in one operation, as sendmsg(2) does. The kernel copies the message's head and its
// array of pieces at submission; what the pieces point to must stay. MSG_NOSIGNAL is always added.
inline void prep_sendmsg(io_uring_sqe& sqe, int fd, const msghdr* message, int msg_flags) {
  prep_transfer(sqe, IORING_OP_SENDMSG, fd, message, 1, 0);
  sqe.msg_flags = static_cast<std::uint32_t>(msg_flags | MSG_NOSIGNAL);
}

// `address` and `address_size` may be null. res: the new descriptor, which the caller owns.
inline void prep_accept(io_uring_sqe& sqe, int listener, sockaddr* address, socklen_t* address_size,
                        int accept_flags) {
  sqe.opcode = IORING_OP_ACCEPT;
  sqe.fd = listener;
  sqe.addr = user_address(address);
  sqe.addr2 = user_address(address_size);
  sqe.accept_flags = static_cast<std::uint32_t>(accept_flags);
}

// One request, a completion per connection, until one comes without IORING_CQE_F_MORE. That last
// one may carry a connection too. Linux 5.19.
inline void prep_accept_multishot(io_uring_sqe& sqe, int listener, int accept_flags) {
  prep_accept(sqe, listener, nullptr, nullptr, accept_flags);
  sqe.ioprio |= IORING_ACCEPT_MULTISHOT;
}

// Makes the ACCEPT of one of the two above put the socket into the ring's table of registered files,
// where the kernel finds an empty place: res is its number, and there is no descriptor. A place is
// never inherited: SOCK_CLOEXEC is EINVAL.
// KERNEL: with a table that is full it takes the connection all the same, closes it, and says ENFILE.
// Linux 5.19, Feature::DirectAccept.
inline void accept_direct(io_uring_sqe& sqe) {
  sqe.file_index = IORING_FILE_INDEX_ALLOC;
}

// The kernel copies the address at submission.
inline void prep_connect(io_uring_sqe& sqe, int fd, const sockaddr* address, socklen_t size) {
  sqe.opcode = IORING_OP_CONNECT;
  sqe.fd = fd;
  sqe.addr = user_address(address);
  sqe.off = size;
}

// Does not end what is pending on the descriptor: cancel first (or shut down).
inline void prep_close(io_uring_sqe& sqe, int fd) {
  sqe.opcode = IORING_OP_CLOSE;
  sqe.fd = fd;
}

// Empties a place of the table of registered files, which closes the file if nobody else has it.
// Linux 5.15.
inline void prep_close_direct(io_uring_sqe& sqe, std::uint32_t place) {
  sqe.opcode = IORING_OP_CLOSE;
  sqe.file_index = place + 1;
}

inline void prep_shutdown(io_uring_sqe& sqe, int fd, int how) {
  sqe.opcode = IORING_OP_SHUTDOWN;
  sqe.fd = fd;
  sqe.len = static_cast<std::uint32_t>(how);
}

// Opens `path`, relative to `directory`. `path` must live until the completion. Linux 5.6.
inline void prep_openat(io_uring_sqe& sqe, int directory, const char* path, int open_flags,
                        mode_t mode) {
  sqe.opcode = IORING_OP_OPENAT;
  sqe.fd = directory;
  sqe.addr = user_address(path);
  sqe.open_flags = static_cast<std::uint32_t>(open_flags);
  sqe.len = mode;
}
// `how_size` is sizeof(open_how) of the caller's header. Linux 5.6.
inline void prep_openat2(io_uring_sqe& sqe, int directory, const char* path, const open_how* how,
                         std::uint32_t how_size) {
  sqe.opcode = IORING_OP_OPENAT2;
  sqe.fd = directory;
  sqe.addr = user_address(path);
  sqe.addr2 = user_address(how);
  sqe.len = how_size;
}

// Linux 5.11.
inline void prep_unlinkat(io_uring_sqe& sqe, int directory, const char* path, int unlink_flags) {
  sqe.opcode = IORING_OP_UNLINKAT;
  sqe.fd = directory;
  sqe.addr = user_address(path);
  sqe.unlink_flags = static_cast<std::uint32_t>(unlink_flags);
}

inline void prep_fsync(io_uring_sqe& sqe, int fd, std::uint32_t fsync_flags) {
  sqe.opcode = IORING_OP_FSYNC;
  sqe.fd = fd;
  sqe.fsync_flags = fsync_flags;
}

// Completes with -ETIME after `*time`, or with 0 after `count` other completions (0: none counts).
// `timeout_flags`: IORING_TIMEOUT_*. The kernel copies `*time` at submission.
inline void prep_timeout(io_uring_sqe& sqe, const __kernel_timespec* time, std::uint32_t count,
                         std::uint32_t timeout_flags) {
  sqe.opcode = IORING_OP_TIMEOUT;
  sqe.fd = -1;
  sqe.addr = user_address(time);
  sqe.len = 1;
  sqe.off = count;
  sqe.timeout_flags = timeout_flags;
}
// Ends the TIMEOUT with this user_data: it completes with -ECANCELED, this request with 0, or with
// -ENOENT when it was too late. Linux 5.5.
inline void prep_timeout_remove(io_uring_sqe& sqe, std::uint64_t target_user_data) {
  sqe.opcode = IORING_OP_TIMEOUT_REMOVE;
  sqe.fd = -1;
  sqe.addr = target_user_data;
}
// Moves the deadline of the TIMEOUT with this user_data. Linux 5.11.
inline void prep_timeout_update(io_uring_sqe& sqe, std::uint64_t target_user_data,
                                const __kernel_timespec* time, std::uint32_t timeout_flags) {
  prep_timeout_remove(sqe, target_user_data);
  sqe.addr2 = user_address(time);
  sqe.timeout_flags = timeout_flags | IORING_TIMEOUT_UPDATE;
}
// Linked behind another request, limits its time: see IOSQE_IO_LINK. Linux 5.5.
inline void prep_link_timeout(io_uring_sqe& sqe, const __kernel_timespec* time,
                              std::uint32_t timeout_flags) {
  prep_timeout(sqe, time, 0, timeout_flags);
  sqe.opcode = IORING_OP_LINK_TIMEOUT;
}

// Cancels one request by user_data. res: 0, -ENOENT (none found), -EALREADY (it runs and may or may
// not be interrupted). The target has its own completion in any case. Linux 5.5.
inline void prep_cancel(io_uring_sqe& sqe, std::uint64_t target_user_data,
                        std::uint32_t cancel_flags) {
  sqe.opcode = IORING_OP_ASYNC_CANCEL;
  sqe.fd = -1;
  sqe.addr = target_user_data;
  sqe.cancel_flags = cancel_flags;
}
// Cancels what is pending on the file behind `fd`; with IORING_ASYNC_CANCEL_ALL everything, and res
// counts them. Linux 5.19, Feature::CancelFd.
inline void prep_cancel_fd(io_uring_sqe& sqe, int fd, std::uint32_t cancel_flags) {
  sqe.opcode = IORING_OP_ASYNC_CANCEL;
  sqe.fd = fd;
  sqe.cancel_flags = cancel_flags | IORING_ASYNC_CANCEL_FD;
}

inline void prep_poll_add(io_uring_sqe& sqe, int fd, std::uint32_t poll_mask) {
  sqe.opcode = IORING_OP_POLL_ADD;
  sqe.fd = fd;
  sqe.poll32_events = poll_mask;
}

// Gives `count` buffers of `size` bytes each, one after the other from `memory`, to `group` under
// the ids `first_id` and up: the form of provided buffers from before buffer rings. Linux 5.7.
inline void prep_provide_buffers(io_uring_sqe& sqe, const void* memory, std::uint32_t size,
                                 std::uint16_t count, std::uint16_t group, std::uint16_t first_id) {
  sqe.opcode = IORING_OP_PROVIDE_BUFFERS;
  sqe.fd = count;
  sqe.addr = user_address(memory);
  sqe.len = size;
  sqe.off = first_id;
  sqe.buf_group = group;
}
// Takes up to `count` buffers of the group back; res: how many there were. Linux 5.7.
inline void prep_remove_buffers(io_uring_sqe& sqe, std::uint16_t count, std::uint16_t group) {
  sqe.opcode = IORING_OP_REMOVE_BUFFERS;
  sqe.fd = count;
  sqe.buf_group = group;
}

// Posts a CQE with this res and user_data on another ring. res here: 0, -EOVERFLOW (its CQ is
// full), -EBADFD (it is disabled). Linux 5.18.
inline void prep_msg_ring(io_uring_sqe& sqe, int target_ring_fd, std::uint32_t res,
                          std::uint64_t user_data) {
  sqe.opcode = IORING_OP_MSG_RING;
  sqe.fd = target_ring_fd;
  sqe.addr = IORING_MSG_DATA;
  sqe.len = res;
  sqe.off = user_data;
}

}  // namespace uring
