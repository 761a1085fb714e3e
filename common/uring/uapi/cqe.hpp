// The completion queue entry: one result, 16 bytes, written by the kernel and read by us.
#pragma once

#include <cstddef>
#include <cstdint>

namespace uring {

// One result. Linux 5.1.
struct io_uring_cqe {
  std::uint64_t user_data;  // 5.1: the SQE's user_data
  std::int32_t res;         // 5.1: what the system call would return, or a negative errno
  std::uint32_t flags;      // 5.7: IORING_CQE_F_..., and a buffer id in the upper 16 bits
  // In a 32-byte CQE (IORING_SETUP_CQE32, or F_32 in a mixed ring) 16 more bytes follow.
};

static_assert(sizeof(io_uring_cqe) == 16);
static_assert(alignof(io_uring_cqe) == 8);
static_assert(offsetof(io_uring_cqe, user_data) == 0);
static_assert(offsetof(io_uring_cqe, res) == 8);
static_assert(offsetof(io_uring_cqe, flags) == 12);

// io_uring_cqe::flags

// 5.7: a provided buffer was used; its id is above
inline constexpr std::uint32_t IORING_CQE_F_BUFFER = 1u << 0;
// 5.13: the request lives on; more CQEs will come
inline constexpr std::uint32_t IORING_CQE_F_MORE = 1u << 1;
// 5.19: the socket had more data after this recv
inline constexpr std::uint32_t IORING_CQE_F_SOCK_NONEMPTY = 1u << 2;
// 6.0: a zero-copy send's buffer is free again
inline constexpr std::uint32_t IORING_CQE_F_NOTIF = 1u << 3;
// 6.12: the buffer is not used up; its id returns
inline constexpr std::uint32_t IORING_CQE_F_BUF_MORE = 1u << 4;
// 6.18: filler before the ring's end: ignore it
inline constexpr std::uint32_t IORING_CQE_F_SKIP = 1u << 5;
// 6.18: this CQE of a mixed ring is 32 bytes long
inline constexpr std::uint32_t IORING_CQE_F_32 = 1u << 15;

// 5.7: buffer id = flags >> this
inline constexpr std::uint32_t IORING_CQE_BUFFER_SHIFT = 16;

}  // namespace uring
