// Provided buffers as a ring in shared memory: we add buffers at its tail, the kernel takes one
// when data is there.
#pragma once

#include <cstddef>
#include <cstdint>

namespace uring {

// One buffer in the ring. Linux 5.19.
struct io_uring_buf {
  std::uint64_t addr;  // where it is
  std::uint32_t len;   // its size in bytes
  std::uint16_t bid;   // its id, a number of our own that the CQE brings back
  std::uint16_t resv;  // in entry 0 this is the ring's tail: leave it alone when filling an entry
};
static_assert(sizeof(io_uring_buf) == 16);

// The ring's own field. The ring is an array of io_uring_buf that starts at the same address: there
// is no room before the entries, so the tail hides in a field that entry 0 does not use. There is
// no head here; see io_uring_buf_status. Linux 5.19.
struct io_uring_buf_ring {
  std::uint64_t resv1;
  std::uint32_t resv2;
  std::uint16_t resv3;
  std::uint16_t tail;  // ours: the next entry that we fill
};
static_assert(sizeof(io_uring_buf_ring) == sizeof(io_uring_buf));
static_assert(offsetof(io_uring_buf_ring, tail) == offsetof(io_uring_buf, resv));

// io_uring_buf_reg::flags

// 6.4: the kernel allocates the ring; mmap it
inline constexpr std::uint16_t IOU_PBUF_RING_MMAP = 1;
// 6.12: a buffer is used up piece by piece
inline constexpr std::uint16_t IOU_PBUF_RING_INC = 2;

// The argument of IORING_REGISTER_PBUF_RING and IORING_UNREGISTER_PBUF_RING. Linux 5.19.
struct io_uring_buf_reg {
  std::uint64_t ring_addr;     // page-aligned memory, 16 bytes an entry; 0 with IOU_PBUF_RING_MMAP
  std::uint32_t ring_entries;  // a power of two, at most 32768
  std::uint16_t bgid;          // the number of the group, for sqe.buf_group
  std::uint16_t flags;         // 6.4: IOU_PBUF_RING_...
  std::uint32_t min_left;      // 7.1 (6.12 by an update): with INC: give a buffer up below this
  std::uint32_t resv[5];
};
static_assert(sizeof(io_uring_buf_reg) == 40);

// The argument of IORING_REGISTER_PBUF_STATUS. Linux 6.8.
struct io_uring_buf_status {
  std::uint32_t buf_group;  // in: which group
  std::uint32_t head;       // out: the next entry that the kernel takes
  std::uint32_t resv[8];
};
static_assert(sizeof(io_uring_buf_status) == 40);

}  // namespace uring
