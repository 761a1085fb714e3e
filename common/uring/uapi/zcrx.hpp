// Zero-copy receive (Linux 6.15): a network card writes payload straight into our memory. It needs
// a card that can split headers from payload, and a receive queue set aside for us. What a program
// has read goes back through a refill ring.
#pragma once

#include <cstddef>
#include <cstdint>

namespace uring {

// One entry of the refill ring: a piece of memory that the card may use again. Linux 6.15.
struct io_uring_zcrx_rqe {
  std::uint64_t off;  // where it is: an offset in the area; the area's token in the upper bits
  std::uint32_t len;  // bytes
  std::uint32_t pad;
};
static_assert(sizeof(io_uring_zcrx_rqe) == 16);

// The second half of RECV_ZC's 32-byte CQE. Linux 6.15.
struct io_uring_zcrx_cqe {
  std::uint64_t off;  // where the data is, in the same form
  std::uint64_t pad;
};
static_assert(sizeof(io_uring_zcrx_cqe) == 16);

// 6.15: the token of the area starts at this bit of off
inline constexpr std::uint64_t IORING_ZCRX_AREA_SHIFT = 48;
// 6.15: its bits
inline constexpr std::uint64_t IORING_ZCRX_AREA_MASK =
    ~((std::uint64_t{1} << IORING_ZCRX_AREA_SHIFT) - 1);

// Where the fields of the refill ring lie, in bytes from the start of its region. Linux 6.15.
struct io_uring_zcrx_offsets {
  std::uint32_t head;  // the kernel's
  std::uint32_t tail;  // ours
  std::uint32_t rqes;  // the array of io_uring_zcrx_rqe
  std::uint32_t resv2;
  std::uint64_t resv[2];
};
static_assert(sizeof(io_uring_zcrx_offsets) == 32);

// io_uring_zcrx_area_reg::flags

// 6.16: the memory is a dma-buf, such as a GPU's
inline constexpr std::uint32_t IORING_ZCRX_AREA_DMABUF = 1;

// The memory that the card writes to. Linux 6.15.
struct io_uring_zcrx_area_reg {
  std::uint64_t addr;           // where it is; an offset for a dma-buf
  std::uint64_t len;            // bytes
  std::uint64_t rq_area_token;  // out: what goes into the upper bits of off
  std::uint32_t flags;          // IORING_ZCRX_AREA_...
  std::uint32_t dmabuf_fd;      // 6.16: the dma-buf
  std::uint64_t resv2[2];
};
static_assert(sizeof(io_uring_zcrx_area_reg) == 48);

// io_uring_zcrx_ifq_reg::flags

// 6.19: use a queue that another ring exported
inline constexpr std::uint32_t ZCRX_REG_IMPORT = 1;
// 7.1: no network card: the kernel copies every payload
inline constexpr std::uint32_t ZCRX_REG_NODEV = 2;

// io_uring_query_zcrx::features

// 7.0: rx_buf_len may be chosen
inline constexpr std::uint32_t ZCRX_FEATURE_RX_PAGE_SIZE = 1u << 0;
// 7.2: event_desc is there
inline constexpr std::uint32_t ZCRX_FEATURE_EVENT = 1u << 1;

// The argument of IORING_REGISTER_ZCRX_IFQ. Linux 6.15.
struct io_uring_zcrx_ifq_reg {
  std::uint32_t if_idx;      // the network interface
  std::uint32_t if_rxq;      // its receive queue
  std::uint32_t rq_entries;  // the size of the refill ring
  std::uint32_t flags;       // 6.19: ZCRX_REG_...
  std::uint64_t area_ptr;    // pointer to an io_uring_zcrx_area_reg
  std::uint64_t region_ptr;  // pointer to an io_uring_region_desc, the memory of the refill ring
  io_uring_zcrx_offsets offsets;  // out
  std::uint32_t zcrx_id;          // out: for sqe.zcrx_ifq_idx
  std::uint32_t rx_buf_len;       // 7.0: the size of the pieces that the card writes; 0 for a page
  std::uint64_t event_desc;       // 7.2: pointer to a zcrx_event_desc, or 0
  std::uint64_t resv[2];
};
static_assert(sizeof(io_uring_zcrx_ifq_reg) == 96);
static_assert(offsetof(io_uring_zcrx_ifq_reg, zcrx_id) == 64);

// Events: the kernel posts a CQE when something happened that costs speed. Linux 7.2.
enum zcrx_event_type : std::uint32_t {
  ZCRX_EVENT_ALLOC_FAIL = 0,  // 7.2: the refill ring was empty, the card had nowhere to write
  ZCRX_EVENT_COPY = 1,        // 7.2: a payload had to be copied
};

// zcrx_event_desc::flags

// 7.2: stats_offset is set
inline constexpr std::uint32_t ZCRX_EVENT_DESC_FLAG_STATS = 1u << 0;

// Counters that the kernel keeps in the region of the refill ring. Linux 7.2.
struct zcrx_stats {
  std::uint64_t copy_count;  // CQEs whose payload was copied
  std::uint64_t copy_bytes;  // bytes copied
};
static_assert(sizeof(zcrx_stats) == 16);

// Which events are wanted. Linux 7.2.
struct zcrx_event_desc {
  std::uint64_t user_data;     // of the CQEs
  std::uint32_t type_mask;     // a bit for each zcrx_event_type
  std::uint32_t flags;         // ZCRX_EVENT_DESC_FLAG_...
  std::uint64_t stats_offset;  // where the zcrx_stats go, in bytes from the start of the region
  std::uint64_t resv2[9];
};
static_assert(sizeof(zcrx_event_desc) == 96);

// zcrx_ctrl::op
enum zcrx_ctrl_op : std::uint32_t {
  ZCRX_CTRL_FLUSH_RQ = 0,   // 6.19: take in the refill ring now
  ZCRX_CTRL_EXPORT = 1,     // 6.19: an fd for the queue, so that another ring can import it
  ZCRX_CTRL_ARM_EVENT = 2,  // 7.2: report an event that was reported before once more
  ZCRX_CTRL_ADD_AREA = 3,   // 7.3: more memory for the card
};

// ZCRX_CTRL_FLUSH_RQ needs nothing more. Linux 6.19.
struct zcrx_ctrl_flush_rq {
  std::uint64_t resv[6];
};

// What ZCRX_CTRL_EXPORT gives. Linux 6.19.
struct zcrx_ctrl_export {
  std::uint32_t zcrx_fd;  // out: the fd
  std::uint32_t resv1[11];
};

// What ZCRX_CTRL_ARM_EVENT needs. Linux 7.2.
struct zcrx_ctrl_arm_event {
  std::uint32_t event_type;  // a zcrx_event_type
  std::uint32_t resv[11];
};

// What ZCRX_CTRL_ADD_AREA needs. Linux 7.3.
struct zcrx_ctrl_add_area {
  std::uint64_t area_ptr;  // pointer to an io_uring_zcrx_area_reg
  std::uint64_t resv[5];
};

// The argument of IORING_REGISTER_ZCRX_CTRL. Linux 6.19.
struct zcrx_ctrl {
  std::uint32_t zcrx_id;  // which queue
  std::uint32_t op;       // a zcrx_ctrl_op
  std::uint64_t resv[2];
  union {
    zcrx_ctrl_export zc_export;        // 6.19
    zcrx_ctrl_flush_rq zc_flush;       // 6.19
    zcrx_ctrl_arm_event zc_arm_event;  // 7.2
    zcrx_ctrl_add_area zc_area;        // 7.3
  };
};
static_assert(sizeof(zcrx_ctrl) == 72);

}  // namespace uring
