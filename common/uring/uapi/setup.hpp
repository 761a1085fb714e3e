// io_uring_setup(2): what a ring is asked to be, what the kernel answers, and where its parts lie
// in memory.
#pragma once

#include <cstddef>
#include <cstdint>

namespace uring {

// io_uring_params::flags

// 5.1: poll the device instead of interrupts
inline constexpr std::uint32_t IORING_SETUP_IOPOLL = 1u << 0;
// 5.1: a kernel thread polls the SQ
inline constexpr std::uint32_t IORING_SETUP_SQPOLL = 1u << 1;
// 5.1: that thread runs on sq_thread_cpu
inline constexpr std::uint32_t IORING_SETUP_SQ_AFF = 1u << 2;
// 5.5: cq_entries is given, not 2 * sq_entries
inline constexpr std::uint32_t IORING_SETUP_CQSIZE = 1u << 3;
// 5.6: too large a size is cut, not refused
inline constexpr std::uint32_t IORING_SETUP_CLAMP = 1u << 4;
// 5.6: share the workers of the ring wq_fd
inline constexpr std::uint32_t IORING_SETUP_ATTACH_WQ = 1u << 5;
// 5.10: starts disabled; see ENABLE_RINGS
inline constexpr std::uint32_t IORING_SETUP_R_DISABLED = 1u << 6;
// 5.18: a bad SQE does not end the submission
inline constexpr std::uint32_t IORING_SETUP_SUBMIT_ALL = 1u << 7;
// 5.19: complete at our next kernel entry
inline constexpr std::uint32_t IORING_SETUP_COOP_TASKRUN = 1u << 8;
// 5.19: SQ_TASKRUN shows when work waits
inline constexpr std::uint32_t IORING_SETUP_TASKRUN_FLAG = 1u << 9;
// 5.19: every SQE is 128 bytes
inline constexpr std::uint32_t IORING_SETUP_SQE128 = 1u << 10;
// 5.19: every CQE is 32 bytes
inline constexpr std::uint32_t IORING_SETUP_CQE32 = 1u << 11;
// 6.0: only one thread submits
inline constexpr std::uint32_t IORING_SETUP_SINGLE_ISSUER = 1u << 12;
// 6.1: complete only when we ask for events
inline constexpr std::uint32_t IORING_SETUP_DEFER_TASKRUN = 1u << 13;
// 6.5: the rings lie in memory of ours
inline constexpr std::uint32_t IORING_SETUP_NO_MMAP = 1u << 14;
// 6.5: return a registered index, no fd
inline constexpr std::uint32_t IORING_SETUP_REGISTERED_FD_ONLY = 1u << 15;
// 6.6: SQEs are taken in order, no index array
inline constexpr std::uint32_t IORING_SETUP_NO_SQARRAY = 1u << 16;
// 6.13: IOPOLL that sleeps first, then polls
inline constexpr std::uint32_t IORING_SETUP_HYBRID_IOPOLL = 1u << 17;
// 6.18: CQEs of 16 and of 32 bytes in one ring
inline constexpr std::uint32_t IORING_SETUP_CQE_MIXED = 1u << 18;
// 6.19: SQEs of 64 and of 128 bytes in one ring
inline constexpr std::uint32_t IORING_SETUP_SQE_MIXED = 1u << 19;
// 7.0: each submit starts at SQE 0, no head or tail
inline constexpr std::uint32_t IORING_SETUP_SQ_REWIND = 1u << 20;

// io_uring_params::features, written by the kernel: what this kernel does (or does differently from
// an older one)

// 5.4: one mapping holds the SQ and the CQ ring
inline constexpr std::uint32_t IORING_FEAT_SINGLE_MMAP = 1u << 0;
// 5.5: a full CQ loses nothing, the kernel keeps it
inline constexpr std::uint32_t IORING_FEAT_NODROP = 1u << 1;
// 5.5: after submit, the SQE's arguments may go
inline constexpr std::uint32_t IORING_FEAT_SUBMIT_STABLE = 1u << 2;
// 5.6: offset -1 means the file position
inline constexpr std::uint32_t IORING_FEAT_RW_CUR_POS = 1u << 3;
// 5.6: credentials are the submitter's
inline constexpr std::uint32_t IORING_FEAT_CUR_PERSONALITY = 1u << 4;
// 5.7: waiting for a socket needs no thread
inline constexpr std::uint32_t IORING_FEAT_FAST_POLL = 1u << 5;
// 5.9: POLL_ADD takes 32 bits of events
inline constexpr std::uint32_t IORING_FEAT_POLL_32BITS = 1u << 6;
// 5.11: SQPOLL works with unregistered files
inline constexpr std::uint32_t IORING_FEAT_SQPOLL_NONFIXED = 1u << 7;
// 5.11: enter takes a timeout, see ENTER_EXT_ARG
inline constexpr std::uint32_t IORING_FEAT_EXT_ARG = 1u << 8;
// 5.12: workers are threads of our process
inline constexpr std::uint32_t IORING_FEAT_NATIVE_WORKERS = 1u << 9;
// 5.13: tags on registered files and buffers
inline constexpr std::uint32_t IORING_FEAT_RSRC_TAGS = 1u << 10;
// 5.17: IOSQE_CQE_SKIP_SUCCESS is there
inline constexpr std::uint32_t IORING_FEAT_CQE_SKIP = 1u << 11;
// 5.17: a link may use a file its chain opened
inline constexpr std::uint32_t IORING_FEAT_LINKED_FILE = 1u << 12;
// 6.3: register works through a registered ring
inline constexpr std::uint32_t IORING_FEAT_REG_REG_RING = 1u << 13;
// 6.10: IORING_RECVSEND_BUNDLE is there
inline constexpr std::uint32_t IORING_FEAT_RECVSEND_BUNDLE = 1u << 14;
// 6.12: min_wait_usec is there
inline constexpr std::uint32_t IORING_FEAT_MIN_TIMEOUT = 1u << 15;
// 6.14: attributes for reads and writes
inline constexpr std::uint32_t IORING_FEAT_RW_ATTR = 1u << 16;
// 6.15: IORING_ENTER_NO_IOWAIT is there
inline constexpr std::uint32_t IORING_FEAT_NO_IOWAIT = 1u << 17;

// Offsets to give to mmap(2) on the ring fd.

// 5.1: the SQ ring (and the CQ ring with SINGLE_MMAP)
inline constexpr std::uint64_t IORING_OFF_SQ_RING = 0;
// 5.1: the CQ ring
inline constexpr std::uint64_t IORING_OFF_CQ_RING = 0x8000000;
// 5.1: the array of SQEs
inline constexpr std::uint64_t IORING_OFF_SQES = 0x10000000;
// 6.4: a buffer ring of the kernel's: | group << shift
inline constexpr std::uint64_t IORING_OFF_PBUF_RING = 0x80000000;
// 6.4: that shift
inline constexpr std::uint64_t IORING_OFF_PBUF_SHIFT = 16;
// 6.4: the bits that say which of these it is
inline constexpr std::uint64_t IORING_OFF_MMAP_MASK = 0xf8000000;

// Where the fields of the SQ ring lie, in bytes from the start of its mapping. Linux 5.1.
struct io_sqring_offsets {
  std::uint32_t head;          // the kernel's: the next entry that it takes
  std::uint32_t tail;          // ours: the next entry that we fill
  std::uint32_t ring_mask;     // ring_entries - 1
  std::uint32_t ring_entries;  // a power of two
  std::uint32_t flags;         // the kernel's: IORING_SQ_...
  std::uint32_t dropped;       // the kernel's: how many entries held an index out of range
  std::uint32_t array;         // the index array, absent with NO_SQARRAY
  std::uint32_t resv1;
  std::uint64_t user_addr;  // 6.5: with NO_MMAP, input: the address of the memory for the SQEs
};
static_assert(sizeof(io_sqring_offsets) == 40);

// The flags word of the SQ ring

// 5.1: the SQPOLL thread sleeps; wake it by enter
inline constexpr std::uint32_t IORING_SQ_NEED_WAKEUP = 1u << 0;
// 5.8: the CQ was full; the kernel keeps CQEs for us
inline constexpr std::uint32_t IORING_SQ_CQ_OVERFLOW = 1u << 1;
// 5.19: completions wait for us to enter the kernel
inline constexpr std::uint32_t IORING_SQ_TASKRUN = 1u << 2;

// Where the fields of the CQ ring lie, in bytes from the start of its mapping. Linux 5.1.
struct io_cqring_offsets {
  std::uint32_t head;          // ours: the next entry that we read
  std::uint32_t tail;          // the kernel's: the next entry that it fills
  std::uint32_t ring_mask;     // ring_entries - 1
  std::uint32_t ring_entries;  // a power of two
  std::uint32_t overflow;      // the kernel's: how many CQEs were lost
  std::uint32_t cqes;          // the array of CQEs
  std::uint32_t flags;         // 5.8: ours: IORING_CQ_...
  std::uint32_t resv1;
  std::uint64_t user_addr;  // 6.5: with NO_MMAP, input: the address of the memory for both rings
};
static_assert(sizeof(io_cqring_offsets) == 40);

// The flags word of the CQ ring

// 5.8: do not signal the registered eventfd
inline constexpr std::uint32_t IORING_CQ_EVENTFD_DISABLED = 1u << 0;

// The argument of io_uring_setup(2): in with our wishes, out with the kernel's answers. Linux 5.1.
struct io_uring_params {
  std::uint32_t sq_entries;      // out: the size of the SQ, rounded up to a power of two
  std::uint32_t cq_entries;      // in with CQSIZE; out: the size of the CQ
  std::uint32_t flags;           // in: IORING_SETUP_...
  std::uint32_t sq_thread_cpu;   // in with SQ_AFF: the CPU of the SQPOLL thread
  std::uint32_t sq_thread_idle;  // in with SQPOLL: milliseconds without work until the thread
                                 // sleeps; 0 means one second
  std::uint32_t features;        // 5.4: out: IORING_FEAT_...
  std::uint32_t wq_fd;           // 5.6: in with ATTACH_WQ: the ring to share workers with
  std::uint32_t resv[3];
  io_sqring_offsets sq_off;  // out
  io_cqring_offsets cq_off;  // out
};
static_assert(sizeof(io_uring_params) == 120);
static_assert(offsetof(io_uring_params, features) == 20);
static_assert(offsetof(io_uring_params, sq_off) == 40);
static_assert(offsetof(io_uring_params, cq_off) == 80);

}  // namespace uring
