// io_uring_register(2): its operations and their arguments. Buffer rings, zero-copy receive,
// queries and filters have files of their own beside this one.
#pragma once

#include <linux/time_types.h>

#include <cstddef>
#include <cstdint>

namespace uring {

// The opcode argument
enum io_uring_register_op : std::uint32_t {
  IORING_REGISTER_BUFFERS = 0,        // 5.1: iovecs: pin these buffers once for many requests
  IORING_UNREGISTER_BUFFERS = 1,      // 5.1: let them go
  IORING_REGISTER_FILES = 2,          // 5.1: ints: make a file table of them; -1 is empty (5.5)
  IORING_UNREGISTER_FILES = 3,        // 5.1: drop the file table
  IORING_REGISTER_EVENTFD = 4,        // 5.2: an int: signal this eventfd on every CQE
  IORING_UNREGISTER_EVENTFD = 5,      // 5.2: no longer
  IORING_REGISTER_FILES_UPDATE = 6,   // 5.5: io_uring_files_update: change slots of the file table
  IORING_REGISTER_EVENTFD_ASYNC = 7,  // 5.6: an int: not for CQEs that come inline
  IORING_REGISTER_PROBE = 8,          // 5.6: io_uring_probe: which opcodes does the kernel have?
  IORING_REGISTER_PERSONALITY = 9,    // 5.6: keep our credentials, return an id for sqe.personality
  IORING_UNREGISTER_PERSONALITY = 10,  // 5.6: forget the id given as nr_args
  IORING_REGISTER_RESTRICTIONS = 11,   // 5.10: io_uring_restriction[]: what a ring may do
  IORING_REGISTER_ENABLE_RINGS = 12,   // 5.10: enable a ring that was set up with R_DISABLED
  IORING_REGISTER_FILES2 = 13,  // 5.13: io_uring_rsrc_register: files with tags, or a sparse table
  IORING_REGISTER_FILES_UPDATE2 = 14,     // 5.13: io_uring_rsrc_update2: change slots with tags
  IORING_REGISTER_BUFFERS2 = 15,          // 5.13: io_uring_rsrc_register: the same for buffers
  IORING_REGISTER_BUFFERS_UPDATE = 16,    // 5.13: io_uring_rsrc_update2: change buffers with tags
  IORING_REGISTER_IOWQ_AFF = 17,          // 5.14: a cpu_set_t: where worker threads may run
  IORING_UNREGISTER_IOWQ_AFF = 18,        // 5.14: anywhere again
  IORING_REGISTER_IOWQ_MAX_WORKERS = 19,  // 5.15: two uint32: most bound, unbound workers
  IORING_REGISTER_RING_FDS = 20,          // 5.18: io_uring_rsrc_update[]: name rings by index
  IORING_UNREGISTER_RING_FDS = 21,        // 5.18: give such an index back
  IORING_REGISTER_PBUF_RING = 22,         // 5.19: io_uring_buf_reg: a ring of provided buffers
  IORING_UNREGISTER_PBUF_RING = 23,       // 5.19: io_uring_buf_reg: drop that ring
  IORING_REGISTER_SYNC_CANCEL = 24,       // 6.0: io_uring_sync_cancel_reg: cancel and wait
  IORING_REGISTER_FILE_ALLOC_RANGE = 25,  // 6.0: io_uring_file_index_range: for INDEX_ALLOC
  IORING_REGISTER_PBUF_STATUS = 26,       // 6.8: io_uring_buf_status: where is the head?
  IORING_REGISTER_NAPI = 27,           // 6.9: io_uring_napi: poll the network device while waiting
  IORING_UNREGISTER_NAPI = 28,         // 6.9: io_uring_napi: no longer
  IORING_REGISTER_CLOCK = 29,          // 6.12: io_uring_clock_register: the clock that waiting uses
  IORING_REGISTER_CLONE_BUFFERS = 30,  // 6.12: io_uring_clone_buffers: share buffers
  IORING_REGISTER_SEND_MSG_RING = 31,  // 6.13: an SQE: MSG_RING with no ring; fd is -1
  IORING_REGISTER_ZCRX_IFQ = 32,  // 6.15: io_uring_zcrx_ifq_reg: a receive queue of a network card
  IORING_REGISTER_RESIZE_RINGS = 33,  // 6.13: io_uring_params: new sizes for a living ring
  IORING_REGISTER_MEM_REGION = 34,  // 6.13: io_uring_mem_region_reg: memory shared with the kernel
  IORING_REGISTER_QUERY = 35,       // 6.18: io_uring_query_hdr: what can it do? fd may be -1
  IORING_REGISTER_ZCRX_CTRL = 36,   // 6.19: zcrx_ctrl: work on a zero-copy receive queue
  IORING_REGISTER_BPF_FILTER = 37,  // 7.0: io_uring_bpf: a program that judges requests
  IORING_REGISTER_LAST,             // one past the newest operation known here; not an operation

  IORING_REGISTER_USE_REGISTERED_RING = 1u << 31,  // 6.3: ORed in: fd is a ring's index
};

// Registered files and buffers.

// The argument of IORING_REGISTER_FILES_UPDATE, and of OP_FILES_UPDATE in parts. Linux 5.5.
struct io_uring_files_update {
  std::uint32_t offset;  // the first slot
  std::uint32_t resv;
  std::uint64_t fds;  // pointer to ints: an fd, -1 to empty the slot, or IORING_REGISTER_FILES_SKIP
};
static_assert(sizeof(io_uring_files_update) == 16);

// 5.12: in a list of fds: leave this slot as it is
inline constexpr std::int32_t IORING_REGISTER_FILES_SKIP = -2;

// io_uring_rsrc_register::flags

// 5.19: nr empty slots, no data needed
inline constexpr std::uint32_t IORING_RSRC_REGISTER_SPARSE = 1u << 0;

// The argument of IORING_REGISTER_FILES2 and IORING_REGISTER_BUFFERS2. Linux 5.13.
struct io_uring_rsrc_register {
  std::uint32_t nr;     // how many
  std::uint32_t flags;  // 5.19: IORING_RSRC_REGISTER_...
  std::uint64_t resv2;
  std::uint64_t data;  // pointer to fds or iovecs
  std::uint64_t tags;  // pointer to a uint64 for each: not 0: a CQE with that user_data comes when
                       // the kernel lets go of it
};
static_assert(sizeof(io_uring_rsrc_register) == 32);

// One entry of IORING_REGISTER_RING_FDS. Linux 5.13, this use 5.18.
struct io_uring_rsrc_update {
  std::uint32_t offset;  // the index wanted, or -1 for any; out: the index given
  std::uint32_t resv;
  std::uint64_t data;  // the ring's fd
};
static_assert(sizeof(io_uring_rsrc_update) == 16);

// The argument of IORING_REGISTER_FILES_UPDATE2 and IORING_REGISTER_BUFFERS_UPDATE. Linux 5.13.
struct io_uring_rsrc_update2 {
  std::uint32_t offset;  // the first slot
  std::uint32_t resv;
  std::uint64_t data;  // pointer to fds or iovecs
  std::uint64_t tags;  // as above
  std::uint32_t nr;    // how many
  std::uint32_t resv2;
};
static_assert(sizeof(io_uring_rsrc_update2) == 32);

// The argument of IORING_REGISTER_FILE_ALLOC_RANGE: slots off to off + len - 1. Linux 6.0.
struct io_uring_file_index_range {
  std::uint32_t off;
  std::uint32_t len;
  std::uint64_t resv;
};
static_assert(sizeof(io_uring_file_index_range) == 16);

// io_uring_clone_buffers::flags

// 6.12: src_fd is the index of a registered ring
inline constexpr std::uint32_t IORING_REGISTER_SRC_REGISTERED = 1u << 0;
// 6.13: buffers that are there may be replaced
inline constexpr std::uint32_t IORING_REGISTER_DST_REPLACE = 1u << 1;

// The argument of IORING_REGISTER_CLONE_BUFFERS. Linux 6.12.
struct io_uring_clone_buffers {
  std::uint32_t src_fd;   // the ring that has the buffers
  std::uint32_t flags;    // see above
  std::uint32_t src_off;  // 6.13: the first buffer there
  std::uint32_t dst_off;  // 6.13: the first slot here
  std::uint32_t nr;       // 6.13: how many; 0 means all
  std::uint32_t pad[3];
};
static_assert(sizeof(io_uring_clone_buffers) == 32);

// Which opcodes there are.

// io_uring_probe_op::flags

// 5.6: this kernel has the opcode
inline constexpr std::uint16_t IO_URING_OP_SUPPORTED = 1u << 0;

// The answer for one opcode. Linux 5.6.
struct io_uring_probe_op {
  std::uint8_t op;
  std::uint8_t resv;
  std::uint16_t flags;  // IO_URING_OP_...
  std::uint32_t resv2;
};
static_assert(sizeof(io_uring_probe_op) == 8);

// The head of the argument of IORING_REGISTER_PROBE; ops_len entries of io_uring_probe_op follow it
// in memory. All of it must be zero on the way in; nr_args says for how many entries there is room.
// Linux 5.6.
struct io_uring_probe {
  std::uint8_t last_op;  // the newest opcode that this kernel knows
  std::uint8_t ops_len;  // entries filled in
  std::uint16_t resv;
  std::uint32_t resv2[3];
};
static_assert(sizeof(io_uring_probe) == 16);

// What a ring may do.

// io_uring_restriction::opcode
enum io_uring_register_restriction_op : std::uint16_t {
  IORING_RESTRICTION_REGISTER_OP = 0,         // 5.10: allow register_op
  IORING_RESTRICTION_SQE_OP = 1,              // 5.10: allow sqe_op
  IORING_RESTRICTION_SQE_FLAGS_ALLOWED = 2,   // 5.10: allow sqe_flags
  IORING_RESTRICTION_SQE_FLAGS_REQUIRED = 3,  // 5.10: each SQE must have sqe_flags
  IORING_RESTRICTION_LAST,                    // one past the newest kind known here
};

// One entry of IORING_REGISTER_RESTRICTIONS: what is not allowed by an entry is forbidden.
// Linux 5.10.
struct io_uring_restriction {
  std::uint16_t opcode;  // IORING_RESTRICTION_...
  union {
    std::uint8_t register_op;  // an io_uring_register_op
    std::uint8_t sqe_op;       // an io_uring_op
    std::uint8_t sqe_flags;    // IOSQE_...
  };
  std::uint8_t resv;
  std::uint32_t resv2[3];
};
static_assert(sizeof(io_uring_restriction) == 16);

// The same for all rings that a task makes, by IORING_REGISTER_RESTRICTIONS with fd -1; nr_res
// entries of io_uring_restriction follow it in memory. Linux 7.0.
struct io_uring_task_restriction {
  std::uint16_t flags;   // none yet
  std::uint16_t nr_res;  // how many entries follow
  std::uint32_t resv[3];
};
static_assert(sizeof(io_uring_task_restriction) == 16);

// Worker threads.

// The places in the array of IORING_REGISTER_IOWQ_MAX_WORKERS
enum io_wq_type : std::uint32_t {
  IO_WQ_BOUND = 0,    // 5.15: work that ends in bounded time, such as on regular files
  IO_WQ_UNBOUND = 1,  // 5.15: work that may take for ever, such as on sockets
};

// Cancelling.

// The argument of IORING_REGISTER_SYNC_CANCEL. Linux 6.0.
struct io_uring_sync_cancel_reg {
  std::uint64_t addr;         // the target's user_data
  std::int32_t fd;            // or its file
  std::uint32_t flags;        // IORING_ASYNC_CANCEL_...
  __kernel_timespec timeout;  // how long to wait for it; -1 in both fields: without limit
  std::uint8_t opcode;        // 6.6: with IORING_ASYNC_CANCEL_OP: the opcode
  std::uint8_t pad[7];
  std::uint64_t pad2[3];
};
static_assert(sizeof(io_uring_sync_cancel_reg) == 64);
static_assert(offsetof(io_uring_sync_cancel_reg, opcode) == 32);

// Waiting.

// The argument of IORING_REGISTER_CLOCK. Linux 6.12.
struct io_uring_clock_register {
  std::uint32_t clockid;  // CLOCK_MONOTONIC or CLOCK_BOOTTIME
  std::uint32_t resv[3];
};
static_assert(sizeof(io_uring_clock_register) == 16);

// io_uring_region_desc::flags

// 6.13: the memory is ours, at user_addr
inline constexpr std::uint32_t IORING_MEM_REGION_TYPE_USER = 1;

// A piece of memory that we and the kernel share. Linux 6.13.
struct io_uring_region_desc {
  std::uint64_t user_addr;    // where it is, with TYPE_USER
  std::uint64_t size;         // in bytes, whole pages
  std::uint32_t flags;        // IORING_MEM_REGION_TYPE_...
  std::uint32_t id;           // must be 0
  std::uint64_t mmap_offset;  // out: without TYPE_USER: the offset to give to mmap(2)
  std::uint64_t resv[4];
};
static_assert(sizeof(io_uring_region_desc) == 64);

// io_uring_mem_region_reg::flags

// 6.13: it holds io_uring_reg_wait entries
inline constexpr std::uint64_t IORING_MEM_REGION_REG_WAIT_ARG = 1;

// The argument of IORING_REGISTER_MEM_REGION. Linux 6.13.
struct io_uring_mem_region_reg {
  std::uint64_t region_uptr;  // pointer to an io_uring_region_desc
  std::uint64_t flags;        // IORING_MEM_REGION_REG_...
  std::uint64_t resv[2];
};
static_assert(sizeof(io_uring_mem_region_reg) == 32);

// Busy polling of network devices.

// io_uring_napi::opcode
enum io_uring_napi_op : std::uint8_t {
  IO_URING_NAPI_REGISTER_OP = 0,    // 6.13: set the timeout and the preference
  IO_URING_NAPI_STATIC_ADD_ID = 1,  // 6.13: add a device queue by its NAPI id
  IO_URING_NAPI_STATIC_DEL_ID = 2,  // 6.13: remove one
};

// io_uring_napi::op_param of IO_URING_NAPI_REGISTER_OP
enum io_uring_napi_tracking_strategy : std::uint32_t {
  IO_URING_NAPI_TRACKING_DYNAMIC = 0,     // 6.13: the kernel learns the ids from the sockets used
  IO_URING_NAPI_TRACKING_STATIC = 1,      // 6.13: we list the ids
  IO_URING_NAPI_TRACKING_INACTIVE = 255,  // 6.13: off
};

// The argument of IORING_REGISTER_NAPI and IORING_UNREGISTER_NAPI; the former settings come back in
// it. Linux 6.9.
struct io_uring_napi {
  std::uint32_t busy_poll_to;     // how many microseconds to poll
  std::uint8_t prefer_busy_poll;  // 1: keep interrupts off meanwhile
  std::uint8_t opcode;            // 6.13: an io_uring_napi_op
  std::uint8_t pad[2];
  std::uint32_t op_param;  // 6.13: a tracking strategy, or the NAPI id
  std::uint32_t resv;
};
static_assert(sizeof(io_uring_napi) == 16);

}  // namespace uring
