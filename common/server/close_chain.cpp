#include "common/server/close_chain.hpp"

#include "common/server/operations.hpp"
#include "common/uring/prep.hpp"

namespace server {
namespace {

void check(OperationKind kind, const char* operation, std::int32_t res) {
  if (res < 0 && kServerPolicy.decide(kind, res) == loop::Action::Fatal) {
    stop_on_fatal(operation, res);
  }
}

}  // namespace

void arm_close(loop::EventLoop& loop, std::uint32_t slot, const Sockets& sockets, int fd,
               const Waiting& waiting) {
  for (const Waiting::Operation& operation : waiting.operations()) {
    uring::io_uring_sqe& cancel = loop.arm(slot, kCancel);
    uring::prep_cancel(cancel, loop::pack(loop.slots().id(slot, operation.kind, operation.aux)), 0);
    cancel.flags |= uring::IOSQE_IO_HARDLINK;
  }
  sockets.prep_close(loop.arm(slot, kClose), fd);
}

void check_cancel(std::int32_t res) {
  check(kCancel, "ASYNC_CANCEL", res);
}

void check_close(std::int32_t res) {
  check(kClose, "CLOSE", res);
}

}  // namespace server
