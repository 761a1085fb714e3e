#pragma once
// An echo on the connections of server::Server, from what the newer kernels have: one RECV for a
// connection's whole life (multishot), which takes a buffer out of a ring that all connections share
// when bytes have come and not before, and sends straight out of those buffers.
//
// The path of a message:
//   RECV's completion -> the buffer goes into the connection's chain
//        -> before the turn ends: SEND (of several buffers: SENDMSG)
//        -> its completion -> the buffers go back into the ring, all those of a turn together
// Everything that a turn has armed, for all connections, leaves in the one enter that also waits.
//
// What must hold:
// - A buffer belongs to the kernel, to one chain, or to the queue of those that go back. It leaves
//   its chain when the completion of the SEND has told that its last byte was taken, or when the
//   connection is closed and nothing is in flight on it any more; never before.
// - One send is in flight on a connection: two could interleave their bytes.
// - A SEND does not wait (MSG_DONTWAIT). While a client does not read, a POLL_ADD waits for its socket
//   and no buffer is lent to the kernel: so what it holds can be copied out (see relieve()), and the
//   buffers go to those who read. However many clients do not read, the others are served.
// - Out of buffers (ENOBUFS) is a state to wait in. As many receives are armed again as there are
//   buffers to take, first come first served, so nothing is armed only to fail again.
// - What has been received is sent, unless the connection breaks. Memory for it is bounded all the
//   same: see allowance_.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/loop/op_id.hpp"
#include "common/server/server.hpp"
#include "common/server/slot_list.hpp"
#include "common/uring/features.hpp"
#include "common/uring/provided_buffers.hpp"
#include "common/uring/uapi.hpp"
#include "m3_network_server/batch_wait.hpp"
#include "m3_network_server/buffer_chains.hpp"
#include "m3_network_server/counters.hpp"
#include "m3_network_server/echo_connection.hpp"
#include "m3_network_server/options.hpp"
#include "m3_network_server/send_vectors.hpp"

namespace network_server {

// How a connection is received from.
enum class ReceiveForm : std::uint8_t {
  Multishot,  // one request, a completion for each arrival
  Single,     // a request for each arrival
  // The same behind a POLL_ADD. KERNEL(before 5.18): a RECV that has to wait takes a buffer first and
  // keeps it, so a thousand silent clients would have a thousand buffers.
  PollFirst,
};

// What the kernel allows and the options want.
struct EchoForm {
  ReceiveForm receive = ReceiveForm::Multishot;
  bool receive_limit = false;      // a multishot can be told where to end
  std::uint16_t send_buffers = 1;  // in one operation
  std::uint32_t batch_wait_us = 0;

  [[nodiscard]] static EchoForm choose(const uring::Features& features, const EchoOptions& options);
};

class EchoServer {
 public:
  using Connection = EchoConnection;
  using Server = server::Server<EchoServer>;
  // A receive, or the cancel of one, and a wait for room.
  static constexpr std::uint32_t kMaxSqesPerHandler = 2;

  // All of them must outlive it.
  EchoServer(uring::ProvidedBuffers& buffers, const EchoForm& form, const EchoOptions& options);
  EchoServer(const EchoServer&) = delete;
  EchoServer& operator=(const EchoServer&) = delete;

  // --- what Server asks for: see common/server/protocol.hpp --------------------------------------

  void start(Server& server);
  void on_open(std::uint32_t slot);
  void on_completion(loop::OpId id, const uring::io_uring_cqe& cqe);
  void on_stale(loop::OpId id, const uring::io_uring_cqe& cqe);
  void on_deadline(std::uint32_t slot);
  void on_drain(std::uint32_t slot);
  void on_closing(std::uint32_t slot);
  void on_closed(std::uint32_t slot);
  void before_wait();
  [[nodiscard]] server::Waiting waiting(const Connection& connection) const;
  [[nodiscard]] std::size_t waiting_bytes(const Connection& connection) const;
  [[nodiscard]] bool is_writing(const Connection& connection) const {
    return connection.has_unsent();
  }
  [[nodiscard]] std::uint32_t spare_descriptors() const { return 0; }
  [[nodiscard]] std::string report_counters() const;
  [[nodiscard]] std::string report_details() const { return {}; }

 private:
  // ---- receiving: receiving.cpp ----
  // Unless there is a reason not to.
  void receive(std::uint32_t slot);
  void arm_receive(std::uint32_t slot);
  void arm_wait_to_receive(std::uint32_t slot);
  void on_can_receive(std::uint32_t slot);
  void on_received(std::uint32_t slot, const uring::io_uring_cqe& cqe);
  void keep(std::uint32_t slot, const uring::io_uring_cqe& cqe);
  void on_receive_ended(std::uint32_t slot, std::int32_t res);
  void on_end(std::uint32_t slot);

  // ---- sending: sending.cpp ----
  // Before the turn ends, what this connection holds is sent.
  void make_ready(std::uint32_t slot);
  void send_what_came();
  void send_or_end(std::uint32_t slot);
  void arm_send(std::uint32_t slot);
  void arm_send_one(std::uint32_t slot);
  void arm_send_many(std::uint32_t slot, std::uint16_t count);
  void arm_send_spill(std::uint32_t slot);
  void on_sent(std::uint32_t slot, std::uint16_t count, std::int32_t res);
  [[nodiscard]] std::size_t asked_of(const Connection& connection, std::uint16_t count) const;
  void consume(Connection& connection, std::size_t sent);
  void on_send_failed(std::uint32_t slot, std::int32_t res);
  void wait_to_send(std::uint32_t slot);
  void on_can_send(std::uint32_t slot, std::int32_t res);
  void send_again(std::uint32_t slot);

  // ---- buffers and pressure: pressure.cpp ----
  void replenish();
  void replenish_at_once_if_low();
  [[nodiscard]] bool is_low(std::uint32_t buffers) const;
  [[nodiscard]] bool is_low() const;
  void note_held();
  void wait_for_buffers(std::uint32_t slot);
  void serve_waiters();
  void stop_reading(std::uint32_t slot);
  [[nodiscard]] bool holds_too_much(const Connection& connection) const;
  [[nodiscard]] bool may_resume(const Connection& connection) const;
  void resume_reading(std::uint32_t slot);
  void relieve();
  [[nodiscard]] bool spill(std::uint32_t slot);
  void release(Connection& connection);
  void list_as_blocked(std::uint32_t slot);
  void leave_list(std::uint32_t slot);

  // ---- the rest: echo_server.cpp ----
  void gather();
  void close_unexpected(std::uint32_t slot, const char* what, std::int32_t res);
  // Room in the SQ for what one connection may need, where one call does the work of many. False if
  // the ring cannot be entered any more: the loop will meet the same error, and says so.
  [[nodiscard]] bool has_room();
  void note_state(std::uint32_t slot) {
    if (options_.log_states) [[unlikely]] {
      log_state(slot, state_of(server_->connection(slot)));
    }
  }
  void log_state(std::uint32_t slot, State state);

  [[nodiscard]] auto link_of() {
    return
        [this](std::uint32_t slot) -> server::SlotLink& { return server_->connection(slot).link; };
  }

  uring::ProvidedBuffers& buffers_;
  const EchoForm form_;
  const EchoOptions& options_;
  // Of the buffers, how many one connection may hold: --max-buffered of memory, and a quarter.
  const std::uint32_t allowance_;
  Server* server_ = nullptr;

  BufferChains chains_;
  std::unique_ptr<SendVectors> vectors_;
  std::vector<std::uint32_t> ready_;  // connections with something to send, of this turn
  server::SlotList waiters_;          // connections that wait for buffers to receive into
  server::SlotList blocked_;          // connections that hold buffers and whose socket is full
  std::uint32_t waiter_count_ = 0;
  BatchWait batch_wait_;
  std::uint64_t sends_before_turn_ = 0;
  bool logged_ = false;
  EchoCounters counters_;
  std::uint64_t buffers_held_max_ = 0;
};

}  // namespace network_server
