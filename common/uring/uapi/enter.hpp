// io_uring_enter(2): its flags, and the argument that carries a timeout and a signal mask.
#pragma once

#include <linux/time_types.h>

#include <cstddef>
#include <cstdint>

namespace uring {

// The flags argument

// 5.1: wait for min_complete CQEs
inline constexpr std::uint32_t IORING_ENTER_GETEVENTS = 1u << 0;
// 5.1: wake the SQPOLL thread
inline constexpr std::uint32_t IORING_ENTER_SQ_WAKEUP = 1u << 1;
// 5.10: wait until the SQPOLL thread made room
inline constexpr std::uint32_t IORING_ENTER_SQ_WAIT = 1u << 2;
// 5.11: arg points to an io_uring_getevents_arg
inline constexpr std::uint32_t IORING_ENTER_EXT_ARG = 1u << 3;
// 5.18: fd is the index of a registered ring
inline constexpr std::uint32_t IORING_ENTER_REGISTERED_RING = 1u << 4;
// 6.12: the timeout is a point in time
inline constexpr std::uint32_t IORING_ENTER_ABS_TIMER = 1u << 5;
// 6.13: arg is an offset in the registered region
inline constexpr std::uint32_t IORING_ENTER_EXT_ARG_REG = 1u << 6;
// 6.15: waiting does not count as iowait
inline constexpr std::uint32_t IORING_ENTER_NO_IOWAIT = 1u << 7;

// What arg points to with IORING_ENTER_EXT_ARG. Linux 5.11.
struct io_uring_getevents_arg {
  std::uint64_t sigmask;        // pointer to a sigset_t, or 0
  std::uint32_t sigmask_sz;     // its size: 8, the kernel's, not sizeof(sigset_t)
  std::uint32_t min_wait_usec;  // 6.12: wait this long for min_complete, then return as soon as
                                // there is any CQE
  std::uint64_t ts;             // pointer to a __kernel_timespec, or 0 to wait without limit
};
static_assert(sizeof(io_uring_getevents_arg) == 24);

// io_uring_reg_wait::flags

// 6.13: ts is set
inline constexpr std::uint32_t IORING_REG_WAIT_TS = 1u << 0;

// The same with IORING_ENTER_EXT_ARG_REG: it lies in a region that was registered by
// IORING_REGISTER_MEM_REGION, so that the kernel copies nothing on each call. Linux 6.13.
struct io_uring_reg_wait {
  __kernel_timespec ts;         // how long to wait, if IORING_REG_WAIT_TS is set
  std::uint32_t min_wait_usec;  // as above
  std::uint32_t flags;          // IORING_REG_WAIT_...
  std::uint64_t sigmask;        // as above
  std::uint32_t sigmask_sz;     // as above
  std::uint32_t pad[3];
  std::uint64_t pad2[2];
};
static_assert(sizeof(io_uring_reg_wait) == 64);
static_assert(offsetof(io_uring_reg_wait, sigmask) == 24);

}  // namespace uring
