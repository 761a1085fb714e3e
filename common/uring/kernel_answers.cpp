#include "common/uring/kernel_answers.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "common/uring/completion_queue.hpp"
#include "common/uring/mapping.hpp"
#include "common/uring/submission_queue.hpp"
#include "common/uring/syscalls.hpp"

namespace uring {

namespace {

base::Result<base::UniqueFd> setup(std::uint32_t flags) {
  io_uring_params params{};
  params.flags = flags;
  params.cq_entries = (flags & IORING_SETUP_CQSIZE) != 0 ? 8 : 0;
  const auto fd = sys::io_uring_setup(4, params);
  if (!fd) {
    return base::fail(fd.error());
  }
  return base::UniqueFd(*fd);
}

// Runs one SQE to its end on a ring of its own and returns the res of its completion; EIO when the
// ring could not even be used, which no question below takes for a yes.
int run_one(const io_uring_sqe& request) {
  io_uring_params params{};
  const auto fd = sys::io_uring_setup(4, params);
  if (!fd) {
    return -EIO;
  }
  const base::UniqueFd ring(*fd);
  const auto mapping = RingMapping::create(ring.get(), params, false);
  if (!mapping) {
    return -EIO;
  }
  SubmissionQueue sq(mapping->sq_pointers(), nullptr);
  CompletionQueue cq(mapping->cq_pointers(), nullptr);
  *sq.next_sqe() = request;
  const auto entered =
      sys::io_uring_enter(ring.get(), sq.publish(), 1, IORING_ENTER_GETEVENTS, nullptr, 0);
  return entered && cq.ready() > 0 ? cq.at(0).res : -EIO;
}

// A socket on which nothing can be accepted and nothing has arrived.
class UnconnectedPair {
 public:
  UnconnectedPair() {
    std::array<int, 2> fds{-1, -1};
    if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds.data()) == 0) {
      first_.reset(fds[0]);
      second_.reset(fds[1]);
    }
  }
  [[nodiscard]] int fd() const { return first_.get(); }

 private:
  base::UniqueFd first_;
  base::UniqueFd second_;
};

// It selects from a group of buffers that does not exist, so it cannot wait.
io_uring_sqe multishot_recv_without_buffers(const UnconnectedPair& socket) {
  io_uring_sqe request{};
  request.opcode = IORING_OP_RECV;
  request.fd = socket.fd();
  request.ioprio = IORING_RECV_MULTISHOT;
  request.flags = IOSQE_BUFFER_SELECT;
  request.buf_group = 0xffff;
  return request;
}

bool register_buffer_ring(const KernelAnswers& kernel, std::uint16_t flags) {
  auto memory = MappedRegion::anonymous(4096);
  if (!memory) {
    return false;
  }
  io_uring_buf_reg request{};
  request.ring_addr = reinterpret_cast<std::uintptr_t>(memory->data());
  request.ring_entries = 1;
  request.flags = flags;
  if (!sys::io_uring_register(kernel.ring.get(), IORING_REGISTER_PBUF_RING, &request, 1)) {
    return false;
  }
  io_uring_buf_reg undo{};
  return sys::io_uring_register(kernel.ring.get(), IORING_UNREGISTER_PBUF_RING, &undo, 1)
      .has_value();
}

std::optional<io_uring_query_opcode> query_opcodes() {
  io_uring_query_opcode answer{};
  io_uring_query_hdr header{};
  header.query_data = reinterpret_cast<std::uintptr_t>(&answer);
  header.query_op = IO_URING_QUERY_OPCODES;
  header.size = sizeof answer;
  // KERNEL(6.18): QUERY needs no ring: -1 stands for one.
  if (!sys::io_uring_register(-1, IORING_REGISTER_QUERY, &header, 0) || header.result < 0) {
    return std::nullopt;
  }
  return answer;
}

}  // namespace

base::Result<KernelAnswers> KernelAnswers::ask(bool with_query) {
  KernelAnswers answers;
  io_uring_params params{};
  const auto fd = sys::io_uring_setup(4, params);
  if (!fd) {
    return base::fail(fd.error());
  }
  answers.ring.reset(*fd);
  answers.feature_word = params.features;
  if (with_query) {
    answers.query = query_opcodes();
  }

  constexpr std::size_t kOpcodes = 256;
  struct Probe {
    io_uring_probe head;
    std::array<io_uring_probe_op, kOpcodes> ops;
  };
  auto probe = std::make_unique<Probe>();
  if (sys::io_uring_register(answers.ring.get(), IORING_REGISTER_PROBE, probe.get(), kOpcodes)) {
    for (std::size_t i = 0; i < probe->head.ops_len && i < kOpcodes; ++i) {
      answers.opcodes[probe->ops[i].op] = (probe->ops[i].flags & IO_URING_OP_SUPPORTED) != 0;
    }
  }
  return answers;
}

bool KernelAnswers::opcode_supported(int opcode) const {
  return opcodes[static_cast<std::size_t>(opcode)];
}

bool trial_setup(std::uint32_t flag) {
  if (flag == IORING_SETUP_DEFER_TASKRUN) {
    flag |= IORING_SETUP_SINGLE_ISSUER;
  }
  if (flag == IORING_SETUP_TASKRUN_FLAG) {
    flag |= IORING_SETUP_COOP_TASKRUN;
  }
  return setup(flag).has_value();
}

// A known flag looks for the region that was never registered (EFAULT); an unknown one is EINVAL.
bool trial_registered_wait(const KernelAnswers& kernel) {
  const auto entered =
      sys::io_uring_enter(kernel.ring.get(), 0, 0,
                          IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG | IORING_ENTER_EXT_ARG_REG,
                          nullptr, sizeof(io_uring_reg_wait));
  return !entered && entered.error().value == EFAULT;
}

bool trial_registered_ring(const KernelAnswers& kernel) {
  io_uring_rsrc_update update{};
  update.offset = ~0U;  // any free index; the kernel writes which
  update.data = static_cast<std::uint64_t>(kernel.ring.get());
  if (!sys::io_uring_register(kernel.ring.get(), IORING_REGISTER_RING_FDS, &update, 1)) {
    return false;
  }
  io_uring_rsrc_update undo{};
  undo.offset = update.offset;
  return sys::io_uring_register(kernel.ring.get(), IORING_UNREGISTER_RING_FDS, &undo, 1)
      .has_value();
}

// Before 5.19 the flags field was reserved and had to be 0.
bool trial_sparse_buffers(const KernelAnswers& kernel) {
  io_uring_rsrc_register request{};
  request.nr = 1;
  request.flags = IORING_RSRC_REGISTER_SPARSE;
  if (!sys::io_uring_register(kernel.ring.get(), IORING_REGISTER_BUFFERS2, &request,
                              sizeof request)) {
    return false;
  }
  return sys::io_uring_register(kernel.ring.get(), IORING_UNREGISTER_BUFFERS, nullptr, 0)
      .has_value();
}

bool trial_buffer_ring(const KernelAnswers& kernel) {
  return register_buffer_ring(kernel, 0);
}

bool trial_buffer_ring_inc(const KernelAnswers& kernel) {
  return register_buffer_ring(kernel, IOU_PBUF_RING_INC);
}

// A kernel that knows the flag gets as far as the socket, which accepts nothing (EOPNOTSUPP); one
// that does not rejects the SQE (EINVAL). A real socket and not a bad descriptor, because older
// kernels look the file up before they look at the flags.
bool trial_multishot_accept(const KernelAnswers&) {
  const UnconnectedPair socket;
  io_uring_sqe request{};
  request.opcode = IORING_OP_ACCEPT;
  request.fd = socket.fd();
  request.ioprio = IORING_ACCEPT_MULTISHOT;
  return run_one(request) == -EOPNOTSUPP;
}

// A kernel that knows the limit gets as far as missing the buffer (ENOBUFS); before, the field had to
// be 0 (EINVAL).
bool trial_multishot_recv_limit(const KernelAnswers&) {
  const UnconnectedPair socket;
  io_uring_sqe request = multishot_recv_without_buffers(socket);
  request.optlen = 1;
  return run_one(request) == -ENOBUFS;
}

// Two requests, of which neither can wait. The plain one must get as far as missing the buffer
// (ENOBUFS); the one with MSG_WAITALL, which never goes with multishot, must be rejected (EINVAL):
// 5.10 ignores the flag and would say ENOBUFS to both.
bool trial_multishot_recv(const KernelAnswers&) {
  const UnconnectedPair socket;
  const io_uring_sqe request = multishot_recv_without_buffers(socket);
  io_uring_sqe contradiction = request;
  contradiction.msg_flags = MSG_WAITALL;
  return run_one(request) == -ENOBUFS && run_one(contradiction) == -EINVAL;
}

// Nothing is in flight, so a known flag finds nothing (ENOENT, or 0 requests with CANCEL_ALL);
// an unknown one is EINVAL.
bool trial_cancel_fd(const KernelAnswers&) {
  const UnconnectedPair socket;
  io_uring_sqe request{};
  request.opcode = IORING_OP_ASYNC_CANCEL;
  request.fd = socket.fd();
  request.cancel_flags = IORING_ASYNC_CANCEL_FD;
  return run_one(request) == -ENOENT;
}

bool trial_sync_cancel(const KernelAnswers& kernel) {
  io_uring_sync_cancel_reg request{};
  request.addr = 1;
  request.timeout = {.tv_sec = -1, .tv_nsec = -1};  // none
  const auto answer =
      sys::io_uring_register(kernel.ring.get(), IORING_REGISTER_SYNC_CANCEL, &request, 1);
  return !answer && answer.error().value == ENOENT;
}

bool trial_send_msg_ring(const KernelAnswers& kernel) {
  io_uring_sqe message{};
  message.opcode = IORING_OP_MSG_RING;
  message.fd = kernel.ring.get();
  message.addr = IORING_MSG_DATA;
  return sys::io_uring_register(-1, IORING_REGISTER_SEND_MSG_RING, &message, 1).has_value();
}

bool trial_ring_resize(const KernelAnswers&) {
  const auto ring = setup(IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
  io_uring_params params{};
  params.sq_entries = 8;
  params.cq_entries = 16;
  params.flags = IORING_SETUP_CQSIZE;
  return ring && sys::io_uring_register(ring->get(), IORING_REGISTER_RESIZE_RINGS, &params, 1);
}

// The source ring has no buffers to clone (ENXIO); a kernel without the call says EINVAL.
bool trial_clone_buffers(const KernelAnswers& kernel) {
  const auto target = setup(0);
  io_uring_clone_buffers request{};
  request.src_fd = static_cast<std::uint32_t>(kernel.ring.get());
  if (!target) {
    return false;
  }
  const auto answer =
      sys::io_uring_register(target->get(), IORING_REGISTER_CLONE_BUFFERS, &request, 1);
  return !answer && answer.error().value == ENXIO;
}

}  // namespace uring
