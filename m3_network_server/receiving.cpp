// Receiving: into buffers that the kernel takes out of the shared ring when bytes have come.

#include <poll.h>

#include "common/base/check.hpp"
#include "common/uring/prep.hpp"
#include "m3_network_server/echo_server.hpp"
#include "m3_network_server/operations.hpp"

namespace network_server {

void EchoServer::receive(std::uint32_t slot) {
  const Connection& connection = server_->connection(slot);
  if (connection.receiving || connection.awaiting_input || connection.waits_for_buffers ||
      connection.reading_stopped || connection.ending) {
    return;
  }
  if (!waiters_.empty() && !connection.blocked()) {
    wait_for_buffers(slot);  // behind those who were there before
  } else if (form_.receive == ReceiveForm::PollFirst) {
    arm_wait_to_receive(slot);
  } else {
    arm_receive(slot);
  }
}

// While few buffers are left, a request for each one: a multishot would take as many as its client
// has sent bytes for, and leave nothing for who is armed behind it.
// [snippet: arm_receive]
void EchoServer::arm_receive(std::uint32_t slot) {
  Connection& connection = server_->connection(slot);
  CHECK(!connection.receiving && connection.chain.count < allowance_);
  uring::io_uring_sqe& recv = server_->arm(slot, kRecv);
  connection.multishot = form_.receive == ReceiveForm::Multishot && !is_low() &&
                         (form_.receive_limit || !connection.blocked());
  if (connection.multishot) {
    // KERNEL: one enter takes dozens of buffers of what the socket holds, and no cancel comes in time
    // for those. So the request itself says where it ends: with the buffer that reaches so many bytes,
    // which is not cut. It is the last one for which there is room, if all are full.
    const std::uint32_t before_last = allowance_ - connection.chain.count - 1;
    const std::uint32_t end = before_last * buffers_.buffer_size() + 1;
    uring::prep_recv_multishot(recv, connection.fd, buffers_.group(), 0,
                               form_.receive_limit ? end : 0);
  } else {
    uring::prep_recv_select(recv, connection.fd, buffers_.group(), 0);
  }
  server_->use_socket(recv);
  connection.receiving = true;
  ++counters_.receives;
}
// [/snippet]

void EchoServer::arm_wait_to_receive(std::uint32_t slot) {
  Connection& connection = server_->connection(slot);
  uring::io_uring_sqe& poll = server_->arm(slot, kWaitToReceive);
  uring::prep_poll_add(poll, connection.fd, POLLIN);
  server_->use_socket(poll);
  connection.awaiting_input = true;
}

// Whatever it was, bytes, the end or an error: the RECV tells.
void EchoServer::on_can_receive(std::uint32_t slot) {
  Connection& connection = server_->connection(slot);
  connection.awaiting_input = false;
  if (server_->is_open(slot) && !connection.ending && !connection.reading_stopped) {
    arm_receive(slot);
  }
}

// [snippet: on_received]
void EchoServer::on_received(std::uint32_t slot, const uring::io_uring_cqe& cqe) {
  Connection& connection = server_->connection(slot);
  const bool ended = (cqe.flags & uring::IORING_CQE_F_MORE) == 0;
  if (ended) {
    connection.receiving = false;
    connection.cancelling = false;
  }
  // Only this flag says that a buffer came: not the end of the stream, and no error, has one.
  if ((cqe.flags & uring::IORING_CQE_F_BUFFER) != 0) {
    keep(slot, cqe);
  }
  if (!server_->is_open(slot)) {
    return;
  }
  if (ended) {
    on_receive_ended(slot, cqe.res);
  } else if (holds_too_much(connection)) {
    stop_reading(slot);
  }
}
// [/snippet]

// The bytes stay where they are until they have been sent.
void EchoServer::keep(std::uint32_t slot, const uring::io_uring_cqe& cqe) {
  Connection& connection = server_->connection(slot);
  const std::uint16_t id = uring::ProvidedBuffers::buffer_id(cqe);
  const std::size_t bytes = buffers_.take(cqe).size();
  if (bytes > 0 && !connection.closing) {
    server_->note_received(slot, bytes);
    ++counters_.received_buffers;
    batch_wait_.note_arrival(connection.batch_mark);
  }
  if (bytes > 0 && server_->is_open(slot) && !connection.ending) {
    chains_.push_back(connection.chain, id, static_cast<std::uint32_t>(bytes));
    note_held();
    if (connection.blocked()) {
      list_as_blocked(slot);
    } else {
      make_ready(slot);
    }
  } else {
    buffers_.give_back(id);
  }
  replenish_at_once_if_low();
}

void EchoServer::on_receive_ended(std::uint32_t slot, std::int32_t res) {
  Connection& connection = server_->connection(slot);
  if (res == 0) {
    return on_end(slot);
  }
  const loop::Action action = res > 0 ? loop::Action::Rearm : kEchoPolicy.decide(kRecv, res);
  switch (action) {
    case loop::Action::Rearm:
    case loop::Action::Retry:
    case loop::Action::AwaitBuffers:
      counters_.receives_ended += connection.multishot ? 1 : 0;
      break;
    case loop::Action::Close:
      return server_->close(slot, server::CloseReason::Error);
    default:
      return close_unexpected(slot, "receive", res);
  }
  if (connection.ending || connection.reading_stopped) {
    return;
  }
  // A multishot that has ended is not armed again for the little that may still come.
  if (holds_too_much(connection) || (connection.multishot && !may_resume(connection))) {
    stop_reading(slot);
  } else if (action == loop::Action::AwaitBuffers && !connection.blocked()) {
    wait_for_buffers(slot);
  } else {
    receive(slot);
  }
}

// The client has shut down its side: it gets what is left, then our end.
void EchoServer::on_end(std::uint32_t slot) {
  Connection& connection = server_->connection(slot);
  connection.end_received = true;
  connection.ending = true;
  make_ready(slot);
}

}  // namespace network_server
