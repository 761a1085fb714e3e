// The order of things on a connection, and what Server asks for.

#include "m3_network_server/echo_server.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include "common/base/check.hpp"
#include "common/support/counters.hpp"
#include "m3_network_server/operations.hpp"

namespace network_server {
namespace {

std::uint32_t allowance_of(const EchoOptions& options) {
  const std::size_t wanted = options.server.max_buffered / options.buffer_size;
  const std::size_t most = std::min<std::size_t>(wanted, options.buffers / 4);
  return static_cast<std::uint32_t>(std::max<std::size_t>(most, 1));
}

}  // namespace

EchoForm EchoForm::choose(const uring::Features& features, const EchoOptions& options) {
  using uring::Feature;
  EchoForm form;
  if (features.has(Feature::MultishotRecv) && !options.single_shot) {
    form.receive = ReceiveForm::Multishot;
    form.receive_limit = features.has(Feature::MultishotRecvLimit);
  } else {
    form.receive = features.has(Feature::BufferRing) ? ReceiveForm::Single : ReceiveForm::PollFirst;
  }
  // Without it the list of a SENDMSG would have to live until its completion: see SendVectors.
  form.send_buffers = features.has(Feature::SubmitStable) ? options.send_buffers : std::uint16_t{1};
  if (features.has(Feature::MinWait)) {
    form.batch_wait_us =
        static_cast<std::uint32_t>(options.batch_wait / std::chrono::microseconds(1));
  }
  return form;
}

EchoServer::EchoServer(uring::ProvidedBuffers& buffers, const EchoForm& form,
                       const EchoOptions& options)
    : buffers_(buffers),
      form_(form),
      options_(options),
      allowance_(allowance_of(options)),
      chains_(buffers.count()),
      batch_wait_(form.batch_wait_us) {}

void EchoServer::start(Server& server) {
  server_ = &server;
  vectors_ = std::make_unique<SendVectors>(server.ring().sq().entries(), form_.send_buffers);
}

void EchoServer::on_open(std::uint32_t slot) {
  receive(slot);
  note_state(slot);
}

void EchoServer::on_completion(loop::OpId id, const uring::io_uring_cqe& cqe) {
  switch (id.kind) {
    case kRecv:
      on_received(id.slot, cqe);
      break;
    case kWaitToReceive:
      on_can_receive(id.slot);
      break;
    case kSend:
      on_sent(id.slot, id.aux, cqe.res);
      break;
    case kWaitToSend:
      on_can_send(id.slot, cqe.res);
      break;
    default:
      CHECK(false, "one of the kinds above");
  }
  note_state(id.slot);
}

void EchoServer::on_stale(loop::OpId id, const uring::io_uring_cqe& cqe) {
  if (id.kind == kRecv && (cqe.flags & uring::IORING_CQE_F_BUFFER) != 0) {
    (void)buffers_.take(cqe);
    buffers_.give_back(uring::ProvidedBuffers::buffer_id(cqe));
  }
}

// Set by RoomWait, and by nobody else.
void EchoServer::on_deadline(std::uint32_t slot) {
  if (server_->connection(slot).blocked()) {
    send_again(slot);
    note_state(slot);
  }
}

// What has come by the end of this turn is sent back: see send_or_end().
void EchoServer::on_drain(std::uint32_t slot) {
  make_ready(slot);
}

void EchoServer::on_closing(std::uint32_t slot) {
  leave_list(slot);
  note_state(slot);
}

void EchoServer::on_closed(std::uint32_t slot) {
  Connection& connection = server_->connection(slot);
  CHECK(!connection.sending && !connection.receiving, "its last completion has come");
  release(connection);
  if (options_.log_states) [[unlikely]] {
    log_state(slot, State::Closed);
  }
}

// [snippet: echo_turn]
void EchoServer::before_wait() {
  relieve();
  replenish();
  serve_waiters();
  send_what_came();
  gather();
  if (logged_) [[unlikely]] {
    std::fflush(stdout);
    logged_ = false;
  }
}
// [/snippet]

// No SEND waits, so all that this turn has armed complete with the submit. Without any, nobody has
// spoken for as long as the last wait was, and there is no crowd to wait for.
void EchoServer::gather() {
  const std::uint64_t sends = counters_.sends - std::exchange(sends_before_turn_, counters_.sends);
  if (form_.batch_wait_us == 0) {
    return;
  }
  const BatchWait::Plan plan = batch_wait_.end_turn(server_->turn_ns(), server_->connections());
  if (plan.arrivals > 0 && sends > 0 && waiters_.empty() && !server_->draining()) {
    server_->loop().gather(static_cast<std::uint32_t>(sends) + plan.arrivals, plan.at_most_us);
    ++counters_.batch_waits;
  }
}

// A SEND does not wait.
server::Waiting EchoServer::waiting(const Connection& connection) const {
  server::Waiting waiting;
  if (connection.receiving) {
    waiting.add(kRecv);
  }
  if (connection.awaiting_input) {
    waiting.add(kWaitToReceive);
  }
  if (connection.room.polling()) {
    waiting.add(kWaitToSend);
  }
  return waiting;
}

// A network can bring errors that nobody has listed. They end one connection, not the server.
void EchoServer::close_unexpected(std::uint32_t slot, const char* what, std::int32_t res) {
  std::fprintf(stderr, "m3_network_server: cannot %s: %s\n", what, base::Errno{-res}.message());
  server_->close(slot, server::CloseReason::Error);
}

bool EchoServer::has_room() {
  return server_->loop().make_room(Server::kMaxSqesPerHandler).has_value();
}

void EchoServer::log_state(std::uint32_t slot, State state) {
  Connection& connection = server_->connection(slot);
  if (connection.shown == state) {
    return;
  }
  // A free slot's generation is that of its next life.
  const std::uint16_t past = state == State::Closed ? 1 : 0;
  const std::uint16_t generation = server_->loop().slots().id(slot, kRecv).generation;
  std::printf("connection %u.%u: %s -> %s\n", slot,
              static_cast<unsigned>(static_cast<std::uint16_t>(generation - past)),
              to_string(connection.shown), to_string(state));
  connection.shown = state;
  logged_ = true;
}

// --- the report ----------------------------------------------------------------------------------

std::size_t EchoServer::waiting_bytes(const Connection& connection) const {
  const std::size_t spilled = connection.spill != nullptr ? connection.spill->rest().size() : 0;
  return spilled + chains_.unsent_bytes(connection.chain, connection.chain.count);
}

std::string EchoServer::report_counters() const {
  const BufferGauges gauges{
      .buffers_with_kernel = buffers_.with_kernel(),
      .buffers_held = buffers_.count() - buffers_.with_kernel() - buffers_.queued(),
      .buffers_held_max = buffers_held_max_,
      .buffer_waiters = waiter_count_};
  return support::counters_as_text(counters_) + support::counters_as_text(gauges);
}

}  // namespace network_server
