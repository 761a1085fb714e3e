// IORING_REGISTER_QUERY (Linux 6.18): asks the kernel what it can do. It needs no ring: the fd may
// be -1.
#pragma once

#include <cstdint>

namespace uring {

// One question; questions can be chained. The kernel fills in as much of the answer as there is
// room for, and sets size to what it knows. Linux 6.18.
struct io_uring_query_hdr {
  std::uint64_t next_entry;  // pointer to the next io_uring_query_hdr, or 0
  std::uint64_t query_data;  // pointer to the struct for the answer
  std::uint32_t query_op;    // IO_URING_QUERY_...
  std::uint32_t size;        // in: the size of that struct; out: how much of it was filled in
  std::int32_t result;       // out: 0 or a negative errno
  std::uint32_t resv[3];
};
static_assert(sizeof(io_uring_query_hdr) == 40);

// io_uring_query_hdr::query_op

// 6.18: io_uring_query_opcode
inline constexpr std::uint32_t IO_URING_QUERY_OPCODES = 0;
inline constexpr std::uint32_t IO_URING_QUERY_ZCRX = 1;  // 6.19: io_uring_query_zcrx
inline constexpr std::uint32_t IO_URING_QUERY_SCQ = 2;   // 6.19: io_uring_query_scq
// 7.2: io_uring_query_zcrx_event
inline constexpr std::uint32_t IO_URING_QUERY_ZCRX_EVENT = 3;

// How many opcodes, and which flags. Linux 6.18.
struct io_uring_query_opcode {
  std::uint32_t nr_request_opcodes;   // IORING_OP_... below this number exist
  std::uint32_t nr_register_opcodes;  // IORING_REGISTER_... below this number exist
  std::uint64_t feature_flags;        // all IORING_FEAT_...
  std::uint64_t ring_setup_flags;     // all IORING_SETUP_...
  std::uint64_t enter_flags;          // all IORING_ENTER_...
  std::uint64_t sqe_flags;            // all IOSQE_...
  std::uint32_t nr_query_opcodes;     // IO_URING_QUERY_... below this number exist
  std::uint32_t pad;
};
static_assert(sizeof(io_uring_query_opcode) == 48);

// Zero-copy receive. Linux 6.19.
struct io_uring_query_zcrx {
  std::uint64_t register_flags;    // all ZCRX_REG_...
  std::uint64_t area_flags;        // all IORING_ZCRX_AREA_...
  std::uint32_t nr_ctrl_opcodes;   // ZCRX_CTRL_... below this number exist
  std::uint32_t features;          // ZCRX_FEATURE_...
  std::uint32_t rq_hdr_size;       // bytes that the head of a refill ring takes
  std::uint32_t rq_hdr_alignment;  // and its alignment
  std::uint64_t resv2;
};
static_assert(sizeof(io_uring_query_zcrx) == 40);

// Events of zero-copy receive. Linux 7.2.
struct io_uring_query_zcrx_event {
  std::uint32_t event_flags;          // the kinds of events: ZCRX_EVENT_...
  std::uint32_t stats_size;           // the size of zcrx_stats
  std::uint32_t stats_off_alignment;  // the alignment that zcrx_event_desc::stats_offset needs
  std::uint32_t resv1;
  std::uint64_t resv2[4];
};
static_assert(sizeof(io_uring_query_zcrx_event) == 48);

// How much memory the head of the SQ and CQ rings takes, for IORING_SETUP_NO_MMAP. Linux 6.19.
struct io_uring_query_scq {
  std::uint64_t hdr_size;       // bytes
  std::uint64_t hdr_alignment;  // bytes
};
static_assert(sizeof(io_uring_query_scq) == 16);

}  // namespace uring
