// IORING_REGISTER_BPF_FILTER (Linux 7.0): small BPF programs that allow or deny requests before
// they start, much as seccomp does for system calls.
#pragma once

#include <cstddef>
#include <cstdint>

namespace uring {

// What a program sees of a request. Linux 7.0.
struct io_uring_bpf_ctx {
  struct Socket {  // of OP_SOCKET
    std::uint32_t family;
    std::uint32_t type;
    std::uint32_t protocol;
  };
  struct Open {  // of OP_OPENAT and OP_OPENAT2
    std::uint64_t flags;
    std::uint64_t mode;
    std::uint64_t resolve;
  };
  struct Connect {  // of OP_CONNECT; port and address in network byte order
    std::uint32_t family;
    std::uint16_t port;
    std::uint8_t pad[2];
    union {
      std::uint32_t v4_addr;
      std::uint8_t v6_addr[16];
    };
  };

  std::uint64_t user_data;
  std::uint8_t opcode;
  std::uint8_t sqe_flags;
  std::uint8_t pdu_size;  // how many bytes of the union below are filled in
  std::uint8_t pad[5];
  union {
    Socket socket;    // 7.0
    Open open;        // 7.0
    Connect connect;  // 7.2
  };
};
static_assert(sizeof(io_uring_bpf_ctx) == 40);

// io_uring_bpf_filter::flags

// 7.0: opcodes without a filter are denied
inline constexpr std::uint32_t IO_URING_BPF_FILTER_DENY_REST = 1;
// 7.0: refuse the filter if pdu_size does not fit
inline constexpr std::uint32_t IO_URING_BPF_FILTER_SZ_STRICT = 2;

// A filter for one opcode. Linux 7.0.
struct io_uring_bpf_filter {
  std::uint32_t opcode;      // an io_uring_op
  std::uint32_t flags;       // IO_URING_BPF_FILTER_...
  std::uint32_t filter_len;  // instructions in the program
  std::uint8_t pdu_size;     // bytes of the union that the program counts on
  std::uint8_t resv[3];
  std::uint64_t filter_ptr;  // pointer to the program
  std::uint64_t resv2[5];
};
static_assert(sizeof(io_uring_bpf_filter) == 64);

// io_uring_bpf::cmd_type

// 7.0: add a filter
inline constexpr std::uint16_t IO_URING_BPF_CMD_FILTER = 1;

// The argument of IORING_REGISTER_BPF_FILTER. Linux 7.0.
struct io_uring_bpf {
  std::uint16_t cmd_type;   // IO_URING_BPF_CMD_...
  std::uint16_t cmd_flags;  // none yet
  std::uint32_t resv;
  union {
    io_uring_bpf_filter filter;
  };
};
static_assert(sizeof(io_uring_bpf) == 72);

}  // namespace uring
