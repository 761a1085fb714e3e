// The shared buffers: how they go back, who waits for them, and who gets no more.

#include <algorithm>
#include <memory>
#include <utility>

#include "common/base/check.hpp"
#include "common/uring/prep.hpp"
#include "m3_network_server/echo_server.hpp"
#include "m3_network_server/operations.hpp"

namespace network_server {

// --- going back ------------------------------------------------------------------------------------

// [snippet: replenish]
void EchoServer::replenish() {
  if (buffers_.queued() == 0) {
    return;
  }
  ++counters_.replenishes;
  // In the form of requests they may fill the SQ: then it is submitted, and the rest follows.
  while (!buffers_.publish()) {
    if (!server_->loop().make_room(server_->ring().sq().entries())) {
      return;
    }
  }
}

// As requests they wait for the end of the turn: a handler may not fill the SQ.
void EchoServer::replenish_at_once_if_low() {
  if (buffers_.queued() > 0 && is_low(buffers_.with_kernel()) && buffers_.uses_buffer_ring()) {
    ++counters_.urgent_replenishes;
    CHECK(buffers_.publish().has_value(), "a buffer ring has a place for each of its buffers");
  }
}
// [/snippet]

bool EchoServer::is_low(std::uint32_t buffers) const {
  return buffers < buffers_.count() / 4 || buffers == 0;
}

// A quarter is not left, counting those that are on their way back.
bool EchoServer::is_low() const {
  return is_low(buffers_.with_kernel() + buffers_.queued());
}

void EchoServer::note_held() {
  const std::uint64_t held = buffers_.count() - buffers_.with_kernel() - buffers_.queued();
  buffers_held_max_ = std::max(buffers_held_max_, held);
}

// --- waiting for them ------------------------------------------------------------------------------

void EchoServer::wait_for_buffers(std::uint32_t slot) {
  Connection& connection = server_->connection(slot);
  waiters_.push_back(slot, link_of());
  connection.waits_for_buffers = true;
  ++waiter_count_;
  ++counters_.buffer_waits;
}

// [snippet: serve_waiters]
void EchoServer::serve_waiters() {
  for (std::uint32_t left = buffers_.with_kernel(); left > 0 && !waiters_.empty(); --left) {
    if (!has_room()) {
      return;
    }
    const std::uint32_t slot = waiters_.first();
    leave_list(slot);
    if (form_.receive == ReceiveForm::PollFirst) {
      arm_wait_to_receive(slot);
    } else {
      arm_receive(slot);
    }
    note_state(slot);
  }
  // Those who were served may have nothing to receive, and would take no buffer and wake nobody:
  // there is a turn for the next ones at once.
  if (!waiters_.empty() && buffers_.with_kernel() > 0 && has_room()) {
    uring::io_uring_sqe* wake = server_->ring().next_sqe();
    uring::prep_nop(*wake);
    wake->user_data = uring::Ring::kInternalUserData;
  }
}
// [/snippet]

// --- back-pressure ---------------------------------------------------------------------------------

bool EchoServer::holds_too_much(const Connection& connection) const {
  return connection.chain.count >= allowance_ || connection.spill != nullptr ||
         (connection.blocked() && is_low());
}

// At half and not at once: else each buffer that the client takes would cost a request.
bool EchoServer::may_resume(const Connection& connection) const {
  return connection.chain.count <= allowance_ / 2 && !holds_too_much(connection);
}

// [snippet: stop_reading]
void EchoServer::stop_reading(std::uint32_t slot) {
  Connection& connection = server_->connection(slot);
  server_->stop_reading(slot);
  if (connection.receiving && connection.multishot && !connection.cancelling) {
    const loop::OpId receive = server_->loop().slots().id(slot, kRecv);
    uring::prep_cancel(server_->arm(slot, server::kCancel), loop::pack(receive), 0);
    connection.cancelling = true;
    ++counters_.receive_cancels;
  }
}
// [/snippet]

void EchoServer::resume_reading(std::uint32_t slot) {
  server_->resume_reading(slot);
  receive(slot);
}

// Clients that do not read must not keep the buffers from those who do. Of the one that has not read
// for the longest time the bytes are copied out, into memory of their own, and the buffers go back.
void EchoServer::relieve() {
  while (is_low() && !blocked_.empty()) {
    if (!has_room() || !spill(blocked_.first())) {
      return;
    }
  }
}

// False if there is no memory: then they wait where they are.
bool EchoServer::spill(std::uint32_t slot) {
  Connection& connection = server_->connection(slot);
  std::unique_ptr<Spill> spill = Spill::make(waiting_bytes(connection));
  if (spill == nullptr) {
    return false;
  }
  if (const Spill* before = connection.spill.get(); before != nullptr) {
    spill->append(before->rest());
  }
  chains_.for_each(connection.chain, connection.chain.count,
                   [&](std::uint16_t id, std::size_t offset, std::size_t bytes) {
                     spill->append(buffers_.buffer(id).subspan(offset, bytes));
                   });
  release(connection);
  connection.spill = std::move(spill);
  leave_list(slot);
  stop_reading(slot);
  ++counters_.spills;
  note_state(slot);
  return true;
}

// What it holds is dropped, or copied.
void EchoServer::release(Connection& connection) {
  while (!connection.chain.empty()) {
    buffers_.give_back(chains_.pop_front(connection.chain));
  }
  connection.spill.reset();
  replenish_at_once_if_low();
}

// --- the two lists ---------------------------------------------------------------------------------

void EchoServer::list_as_blocked(std::uint32_t slot) {
  if (!server_->connection(slot).link.linked) {
    blocked_.push_back(slot, link_of());
  }
}

void EchoServer::leave_list(std::uint32_t slot) {
  Connection& connection = server_->connection(slot);
  if (!connection.link.linked) {
    return;
  }
  (connection.waits_for_buffers ? waiters_ : blocked_).remove(slot, link_of());
  waiter_count_ -= connection.waits_for_buffers ? 1 : 0;
  connection.waits_for_buffers = false;
}

}  // namespace network_server
