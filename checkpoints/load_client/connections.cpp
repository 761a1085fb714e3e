// Connections: opened a few at a time, closed with everything they have in flight, and counted when
// they fail.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "checkpoints/load_client/engine.hpp"
#include "checkpoints/load_client/policy.hpp"
#include "common/base/check.hpp"
#include "common/net/socket.hpp"
#include "common/uring/prep.hpp"

namespace load_client {
namespace {

// Errors of one connection in all its lives: after so many it stays closed.
constexpr std::uint32_t kMostFailures = 5;
// After a refusal, doubled each time.
constexpr std::uint64_t kFirstRest_ns = 10'000'000;

// What each socket is set to. It cannot fail on one that was just made, and if it did, the
// latencies would tell.
void choose_transport(int fd, std::uint32_t receive_buffer) {
  // Pipelined messages must not wait for one another's acknowledgement.
  (void)net::set_nodelay(fd, true);
  // The machine's default may be one that paces what we send (bbr): its pauses would be taken for
  // the server's, and its timers cost CPU time of ours. Reno is in every kernel.
  constexpr std::string_view kReno = "reno";
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, kReno.data(), kReno.size());
  // Before connect(): the window that the first SYN offers depends on it.
  if (receive_buffer > 0) {
    (void)net::set_receive_buffer(fd, static_cast<int>(receive_buffer));
  }
}

}  // namespace

void Engine::set_state(Connection& connection, State state) {
  TargetState& target = targets_[connection.target];
  --target.connections[static_cast<std::size_t>(connection.state)];
  ++target.connections[static_cast<std::size_t>(state)];
  connecting_ -= connection.state == State::Connecting ? 1 : 0;
  connecting_ += state == State::Connecting ? 1 : 0;
  connection.state = state;
}

void Engine::open_queued() {
  while (!to_open_.empty() && connecting_ < most_connecting_) {
    const std::uint32_t slot = to_open_.front();
    to_open_.pop_front();
    make_room();
    if (!open(slot)) {
      return;
    }
  }
}

// False: the run cannot go on.
bool Engine::open(std::uint32_t slot) {
  Connection& connection = connections_[slot];
  const net::Address& address = results_.targets[connection.target].target.address;
  // Blocking: on a non-blocking socket the ring's operations end with EAGAIN instead of waiting.
  connection.fd.reset(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!connection.fd.valid()) {
    const base::Errno error = base::last_error();
    const std::string what = std::string("no socket: ") + error.name() + ", " + error.message();
    if (next_phase_ == 0) {
      impossible_ = what;
      stop();
      return false;
    }
    count_error(connection, ErrorKind::Other, what);
    drop_messages(connection);
    set_state(connection, State::Dead);
    return true;
  }
  choose_transport(connection.fd.get(), options_.receive_buffer);
  connection.since_ns = now_ns_;
  set_state(connection, State::Connecting);
  uring::prep_connect(loop_.arm(slot, kConnect), connection.fd.get(), address.data(),
                      address.size());
  return true;
}

void Engine::on_connected(std::uint32_t slot, std::int32_t res) {
  Connection& connection = connections_[slot];
  if (connection.state != State::Connecting) {
    return;  // was given up meanwhile
  }
  if (res < 0) {
    fail_by_errno(slot, kConnect, res);
    return;
  }
  TargetResult& result = results_.targets[connection.target];
  ++result.connections_opened;
  result.connect_ns.record(now_ns_ - connection.since_ns);
  set_state(connection, State::Open);
  begin_life(slot);
}

void Engine::begin_life(std::uint32_t slot) {
  Connection& connection = connections_[slot];
  connection.wanted = connection.sending = connection.sent = connection.received = 0;
  connection.slow_credit = 0;
  connection.reader.reset();
  if (is_http()) {
    // Goes on with the path that was not answered; the first time, each connection with another
    // one.
    connection.first_path += connection.lives == 0 ? connection.number : connection.answered;
    connection.source_begin = 0;
    const auto& sizes = requests_[connection.target].sizes;
    for (std::uint64_t i = 0; i < connection.first_path % sizes.size(); ++i) {
      connection.source_begin += sizes[i];
    }
  } else {
    connection.source_begin = stream_begin(options_.seed, slot, connection.lives);
  }
  connection.issued = connection.answered = 0;
  ++connection.lives;
  send_again(connection);
  if (connection.is_slow) {
    fill_slow(connection);
  } else {
    arm_recv(slot);
    fill(slot);
  }
  pump_send(slot);
}

void Engine::close(std::uint32_t slot, State afterwards) {
  Connection& connection = connections_[slot];
  const bool was_connecting = connection.state == State::Connecting;
  connection.after_closing = afterwards;
  set_state(connection, State::Closing);
  if (was_connecting) {
    cancel(slot, kConnect);
  }
  if (connection.recv_is_armed) {
    cancel(slot, kRecv);
  }
  if (connection.send_is_armed) {
    cancel(slot, kSend);
  }
  if (loop_.slots().close(slot)) {
    on_slot_free(slot);
  }
}

void Engine::cancel(std::uint32_t slot, std::uint8_t kind) {
  const std::uint64_t target = loop::pack(loop_.slots().id(slot, kind));
  uring::prep_cancel(loop_.arm(slot, kCancel), target, 0);
}

void Engine::on_slot_free(std::uint32_t slot) {
  Connection& connection = connections_[slot];
  connection.fd.reset();
  connection.recv_is_armed = connection.send_is_armed = false;
  CHECK(loop_.slots().acquire() == slot, "the slot that was freed last is handed out first");
  set_state(connection, is_stopping_ ? State::Dead : connection.after_closing);
  if (connection.state == State::Queued) {
    to_open_.push_back(slot);
  } else if (connection.state == State::Resting && !rest_timer_is_set_) {
    rest_timer_is_set_ = true;
    add_timer(kRest, now_ns_ + kFirstRest_ns);
  }
}

void Engine::count_error(const Connection& connection, ErrorKind kind, const std::string& what) {
  Errors& errors = results_.targets[connection.target].errors;
  std::string& first = errors.first[static_cast<std::size_t>(kind)];
  if (errors.counts[static_cast<std::size_t>(kind)]++ == 0) {
    first = "connection " + std::to_string(connection.number) + ": " + what;
  }
}

void Engine::drop_messages(Connection& connection) {
  targets_[connection.target].in_flight -= connection.messages.size();
  connection.messages.clear();
}

// One error for a connection's end, however many messages it takes with it.
void Engine::fail(std::uint32_t slot, ErrorKind kind, const std::string& what) {
  Connection& connection = connections_[slot];
  const bool is_wrong = kind == ErrorKind::WrongBytes || kind == ErrorKind::BadResponse;
  if (!connection.is_slow || is_wrong || connection.state == State::Connecting) {
    count_error(connection, kind, what);  // a slow reader may be stopped, and thrown out
  }
  drop_messages(connection);
  ++connection.failures;
  State afterwards = State::Queued;
  if (connection.failures > kMostFailures ||
      (connection.state == State::Connecting && kind == ErrorKind::Timeout)) {
    afterwards = State::Dead;
  } else if (connection.state == State::Connecting) {
    afterwards = State::Resting;
    connection.since_ns = now_ns_ + (kFirstRest_ns << (connection.failures - 1));
  }
  close(slot, afterwards);
}

void Engine::fail_by_errno(std::uint32_t slot, std::uint8_t kind, std::int32_t res) {
  const base::Errno error{-res};
  const char* operation = kind == kConnect ? "connect" : kind == kSend ? "send" : "recv";
  std::string what = std::string(operation) + ": " + error.name() + ", " + error.message();
  if (error.value == EADDRNOTAVAIL) {
    what += " (no local port is left for this address: net.ipv4.ip_local_port_range)";
  }
  fail(slot, error_kind(kind, error.value), what);
}

void Engine::wake_rested() {
  bool is_anyone_left = false;
  for (std::uint32_t slot = 0; slot < connections_.size(); ++slot) {
    Connection& connection = connections_[slot];
    if (connection.state != State::Resting) {
      continue;
    }
    if (connection.since_ns <= now_ns_) {
      set_state(connection, State::Queued);
      to_open_.push_back(slot);
    } else {
      is_anyone_left = true;
    }
  }
  if (is_anyone_left) {
    rest_timer_is_set_ = true;
    add_timer(kRest, now_ns_ + kFirstRest_ns);
  }
}

void Engine::scan_for_timeouts() {
  for (std::uint32_t slot = 0; slot < connections_.size(); ++slot) {
    Connection& connection = connections_[slot];
    if (connection.state == State::Open && !connection.messages.empty() &&
        now_ns_ - connection.messages.front().given_ns > timeout_ns_) {
      make_room();
      fail(slot, ErrorKind::Timeout, "no answer in time");
    } else if (connection.state == State::Connecting &&
               now_ns_ - connection.since_ns > timeout_ns_) {
      make_room();
      fail(slot, ErrorKind::Timeout, "the connection was not accepted in time");
      // This server accepts no more: the others shall not wait for that one after the other.
      most_connecting_ = connections_in_all(options_);
    }
  }
}

}  // namespace load_client
