// Sending: out of the buffers that were received into, one operation in flight on a connection.

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <utility>

#include "common/base/check.hpp"
#include "common/uring/prep.hpp"
#include "m3_network_server/echo_server.hpp"
#include "m3_network_server/operations.hpp"

namespace network_server {

// Not sent at once: of what a turn brings for a connection all leaves in one operation.
void EchoServer::make_ready(std::uint32_t slot) {
  if (!std::exchange(server_->connection(slot).ready, true)) {
    ready_.push_back(slot);
  }
}

void EchoServer::send_what_came() {
  for (const std::uint32_t slot : ready_) {
    if (!has_room()) {
      return;
    }
    // Not ready any more: it was closed, and the slot may be another connection's by now.
    if (std::exchange(server_->connection(slot).ready, false) && server_->is_open(slot)) {
      send_or_end(slot);
      note_state(slot);
    }
  }
  ready_.clear();
}

void EchoServer::send_or_end(std::uint32_t slot) {
  Connection& connection = server_->connection(slot);
  if (server_->draining()) {
    connection.ending = true;
    if (connection.waits_for_buffers) {
      leave_list(slot);
    }
  }
  if (connection.has_unsent()) {
    if (!connection.sending && !connection.blocked()) {
      arm_send(slot);
    }
  } else if (connection.end_received) {
    // Behind the end of the stream nothing comes that a close would answer with a reset.
    server_->close(slot, server::CloseReason::Done);
  } else if (connection.ending) {
    server_->finish(slot);
  }
}

// [snippet: arm_send]
void EchoServer::arm_send(std::uint32_t slot) {
  Connection& connection = server_->connection(slot);
  if (connection.spill != nullptr) {
    arm_send_spill(slot);
  } else if (const std::uint16_t count = std::min(connection.chain.count, form_.send_buffers);
             count == 1) {
    arm_send_one(slot);
  } else {
    arm_send_many(slot, count);
  }
  connection.sending = true;
  ++counters_.sends;
}

void EchoServer::arm_send_one(std::uint32_t slot) {
  Connection& connection = server_->connection(slot);
  uring::io_uring_sqe& send = server_->arm(slot, kSend, 1);
  chains_.for_each(connection.chain, 1,
                   [&](std::uint16_t id, std::size_t offset, std::size_t bytes) {
                     uring::prep_send(send, connection.fd,
                                      buffers_.buffer(id).subspan(offset, bytes), MSG_DONTWAIT);
                   });
  server_->use_socket(send);
}

void EchoServer::arm_send_many(std::uint32_t slot, std::uint16_t count) {
  Connection& connection = server_->connection(slot);
  uring::io_uring_sqe& send = server_->arm(slot, kSend, count);
  const std::uint32_t index = server_->ring().sq().local_tail() - 1;
  auto piece = vectors_->pieces(index).begin();
  chains_.for_each(
      connection.chain, count, [&](std::uint16_t id, std::size_t offset, std::size_t bytes) {
        *piece++ = {.iov_base = buffers_.buffer(id).subspan(offset).data(), .iov_len = bytes};
      });
  uring::prep_sendmsg(send, connection.fd, vectors_->head(index, count), MSG_DONTWAIT);
  server_->use_socket(send);
}
// [/snippet]

void EchoServer::arm_send_spill(std::uint32_t slot) {
  const Connection& connection = server_->connection(slot);
  uring::io_uring_sqe& send = server_->arm(slot, kSend, 0);
  uring::prep_send(send, connection.fd, connection.spill->rest(), MSG_DONTWAIT);
  server_->use_socket(send);
}

// [snippet: on_sent]
void EchoServer::on_sent(std::uint32_t slot, std::uint16_t count, std::int32_t res) {
  Connection& connection = server_->connection(slot);
  connection.sending = false;
  if (!server_->is_open(slot)) {
    return;  // what it holds goes back when the last completion has come: on_closed()
  }
  if (res < 0) {
    return on_send_failed(slot, res);
  }
  const auto sent = static_cast<std::size_t>(res);
  const std::size_t asked = asked_of(connection, count);
  server_->note_sent(slot, sent);
  connection.room.note_sent();
  consume(connection, sent);
  if (sent < asked) {
    ++counters_.short_sends;
    wait_to_send(slot);  // the socket took what it has room for
  } else if (connection.has_unsent() || connection.ending) {
    make_ready(slot);
  }
  if (connection.reading_stopped && may_resume(connection)) {
    resume_reading(slot);
  }
}
// [/snippet]

std::size_t EchoServer::asked_of(const Connection& connection, std::uint16_t count) const {
  return count == 0 ? connection.spill->rest().size()
                    : chains_.unsent_bytes(connection.chain, count);
}

void EchoServer::consume(Connection& connection, std::size_t sent) {
  if (connection.spill != nullptr) {
    connection.spill->consume(sent);
    if (connection.spill->rest().empty()) {
      connection.spill.reset();
    }
    return;
  }
  chains_.consume(connection.chain, sent, [this](std::uint16_t id) {
    buffers_.give_back(id);
    ++counters_.sent_buffers;
  });
  replenish_at_once_if_low();
}

void EchoServer::on_send_failed(std::uint32_t slot, std::int32_t res) {
  switch (kEchoPolicy.decide(kSend, res)) {
    case loop::Action::Retry:
      return make_ready(slot);
    case loop::Action::AwaitReadiness:
      return wait_to_send(slot);
    case loop::Action::Close:
      return server_->close(slot, server::CloseReason::Error);
    default:
      return close_unexpected(slot, "send", res);
  }
}

// While few buffers are left, who does not read its answers gets no more of them.
void EchoServer::wait_to_send(std::uint32_t slot) {
  Connection& connection = server_->connection(slot);
  connection.room.begin(*server_, slot, kWaitToSend);
  ++counters_.sends_blocked;
  leave_list(slot);
  if (!connection.chain.empty()) {
    list_as_blocked(slot);
  }
  if (is_low()) {
    stop_reading(slot);
  } else {
    receive(slot);  // it may have waited for a buffer
  }
}

void EchoServer::on_can_send(std::uint32_t slot, std::int32_t res) {
  switch (server_->connection(slot).room.on_polled(*server_, slot, res)) {
    case server::RoomWait::Next::Wait:
      return;
    case server::RoomWait::Next::Send:
      return send_again(slot);
    case server::RoomWait::Next::Close:
      if (server_->is_open(slot)) {
        close_unexpected(slot, "wait to send", res);
      }
      return;
  }
}

void EchoServer::send_again(std::uint32_t slot) {
  server_->connection(slot).room.end();
  leave_list(slot);
  make_ready(slot);
}

}  // namespace network_server
