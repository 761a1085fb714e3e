// Messages: given to connections, sent, and checked when they come back.

#include <algorithm>
#include <cstring>
#include <string>

#include "checkpoints/load_client/engine.hpp"
#include "checkpoints/load_client/policy.hpp"
#include "common/uring/prep.hpp"

namespace load_client {
namespace {

constexpr std::uint64_t kNsPerSecond = 1'000'000'000;

}  // namespace

bool Engine::may_issue(std::uint32_t slot) const {
  const Connection& connection = connections_[slot];
  if (!is_sending_ || !is_active(connection) || connection.is_slow ||
      connection.state != State::Open || connection.messages.size() >= depth_) {
    return false;
  }
  if (options_.requests_per_connection > 0 &&
      connection.issued >= options_.requests_per_connection) {
    return false;
  }
  if (options_.stream) {
    return connection.wanted == connection.sent;  // the kernel has taken the piece before
  }
  return true;
}

void Engine::issue(std::uint32_t slot, std::uint64_t due_ns) {
  Connection& connection = connections_[slot];
  connection.wanted += next_size(connection);
  connection.messages.push({.end = connection.wanted, .due_ns = due_ns, .given_ns = now_ns_});
  ++targets_[connection.target].in_flight;
  if (++current_.issued == current_.limit) {
    end_sending();
  }
}

// Of the message that is issued next.
std::uint64_t Engine::next_size(Connection& connection) {
  const std::uint64_t number = connection.issued++;
  if (is_http()) {
    const auto& sizes = requests_[connection.target].sizes;
    return sizes[(connection.first_path + number) % sizes.size()];
  }
  return options_.sizes.draw(random_);
}

// Gives it what it can take.
void Engine::fill(std::uint32_t slot) {
  if (options_.rate > 0) {
    mark_ready(slot);
    return;
  }
  while (may_issue(slot)) {
    issue(slot, now_ns_);
  }
}

// As much as the socket takes, for ever.
void Engine::fill_slow(Connection& connection) {
  constexpr std::uint64_t kPiece = 64 << 10;
  while (connection.wanted - connection.sent < kPiece) {
    connection.wanted += is_http() ? next_size(connection) : kPiece;
  }
}

void Engine::mark_ready(std::uint32_t slot) {
  if (!connections_[slot].is_ready && may_issue(slot)) {
    connections_[slot].is_ready = true;
    ready_.push_back(slot);
  }
}

std::uint64_t Engine::due_ns(std::uint64_t number) const {
  // Whole seconds apart, so that nothing overflows and nothing is rounded away on a long run.
  return current_.begin_ns + number / options_.rate * kNsPerSecond +
         number % options_.rate * kNsPerSecond / options_.rate;
}

// Open loop: all that has become due, as far as there are connections to take it. What finds none
// stays due, and its latency goes on counting.
void Engine::issue_due() {
  const std::uint64_t now = std::min(support::now_ns(), current_.end_ns - 1);
  while (is_sending_ && !ready_.empty() && due_ns(current_.issued) <= now) {
    const std::uint32_t slot = ready_.front();
    ready_.pop_front();
    connections_[slot].is_ready = false;
    if (!may_issue(slot)) {
      continue;
    }
    make_room();
    issue(slot, due_ns(current_.issued));
    pump_send(slot);
    mark_ready(slot);
  }
  if (is_sending_ && !ready_.empty() && !due_timer_) {
    // Possibly after the end of the phase, which takes it away.
    due_timer_ = loop_.timers().add(due_ns(current_.issued), kDue);
  }
}

// After a server has ended a connection as HTTP allows: the requests that it has not answered, on
// the new one.
void Engine::send_again(Connection& connection) {
  for (std::uint32_t i = 0; i < connection.messages.size(); ++i) {
    connection.wanted += next_size(connection);
    connection.messages[i].end = connection.wanted;
  }
}

void Engine::pump_send(std::uint32_t slot) {
  Connection& connection = connections_[slot];
  if (connection.send_is_armed || connection.sent == connection.wanted ||
      connection.state != State::Open) {
    return;
  }
  const auto bytes = connection.source->at(connection.source_begin + connection.sent,
                                           connection.wanted - connection.sent);
  connection.sending = connection.sent + bytes.size();
  connection.send_is_armed = true;
  uring::prep_send(loop_.arm(slot, kSend), connection.fd.get(), bytes, 0);
}

void Engine::on_sent(std::uint32_t slot, std::int32_t res) {
  Connection& connection = connections_[slot];
  connection.send_is_armed = false;
  if (connection.state != State::Open) {
    return;
  }
  if (res < 0) {
    if (kPolicy.decide(kSend, res) == loop::Action::Retry) {
      pump_send(slot);
    } else {
      fail_by_errno(slot, kSend, res);
    }
    return;
  }
  connection.sent += static_cast<std::uint64_t>(res);
  current_.bytes_sent += is_active(connection) ? static_cast<std::uint64_t>(res) : 0;
  if (connection.is_slow) {
    fill_slow(connection);
  } else if (options_.stream) {
    fill(slot);
  }
  pump_send(slot);
}

void Engine::arm_recv(std::uint32_t slot) {
  Connection& connection = connections_[slot];
  connection.recv_is_armed = true;
  uring::io_uring_sqe& sqe = loop_.arm(slot, kRecv);
  if (has_multishot_recv_) {
    uring::prep_recv_multishot(sqe, connection.fd.get(), buffers_.group(), 0);
  } else {
    uring::prep_recv_select(sqe, connection.fd.get(), buffers_.group(), 0);
  }
}

// Every slow reader gets credit for the time that has passed, and reads as much as it has saved.
void Engine::read_slowly() {
  const std::uint64_t passed_ns = now_ns_ - slow_read_ns_;
  slow_read_ns_ = now_ns_;
  for (std::uint32_t slot = 0; slot < connections_.size(); ++slot) {
    Connection& connection = connections_[slot];
    if (!connection.is_slow || connection.state != State::Open) {
      continue;
    }
    // What a second lets it read, and no more: a server that was silent gets no burst afterwards.
    connection.slow_credit = std::min(connection.slow_credit + passed_ns * options_.slow_rate,
                                      options_.slow_rate * kNsPerSecond);
    make_room();
    arm_slow_recv(slot);
  }
}

void Engine::arm_slow_recv(std::uint32_t slot) {
  Connection& connection = connections_[slot];
  const std::uint64_t bytes =
      std::min(connection.slow_credit / kNsPerSecond, connection.slow_buffer.size());
  if (bytes > 0 && !connection.recv_is_armed) {
    connection.slow_credit -= bytes * kNsPerSecond;
    connection.recv_is_armed = true;
    uring::prep_recv(loop_.arm(slot, kRecv), connection.fd.get(),
                     std::span(connection.slow_buffer).first(bytes), 0);
  }
}

void Engine::on_received(std::uint32_t slot, const uring::io_uring_cqe& cqe) {
  Connection& connection = connections_[slot];
  connection.recv_is_armed = (cqe.flags & uring::IORING_CQE_F_MORE) != 0;
  const bool has_buffer = (cqe.flags & uring::IORING_CQE_F_BUFFER) != 0;
  if (cqe.res > 0 && connection.state == State::Open) {
    const auto data =
        has_buffer ? buffers_.take(cqe)
                   : std::span(connection.slow_buffer).first(static_cast<std::size_t>(cqe.res));
    on_bytes(slot, data);
  } else if (has_buffer) {
    (void)buffers_.take(cqe);
  }
  if (has_buffer) {
    buffers_.give_back(uring::ProvidedBuffers::buffer_id(cqe));
  }
  if (connection.state != State::Open) {
    return;
  }
  if (cqe.res == 0) {
    on_end_of_stream(slot);
  } else if (cqe.res < 0 && kPolicy.decide(kRecv, cqe.res) == loop::Action::AwaitBuffers) {
    starved_.push_back(slot);
  } else if (cqe.res < 0 && kPolicy.decide(kRecv, cqe.res) != loop::Action::Retry) {
    fail_by_errno(slot, kRecv, cqe.res);
  } else if (connection.is_slow) {
    arm_slow_recv(slot);
  } else if (!connection.recv_is_armed) {
    arm_recv(slot);
  }
}

void Engine::on_bytes(std::uint32_t slot, std::span<const std::byte> data) {
  Connection& connection = connections_[slot];
  current_.bytes_received += is_active(connection) ? data.size() : 0;
  const bool is_right = is_http() ? take_http(slot, data) : take_echo(slot, data);
  if (!is_right || connection.is_slow) {
    return;
  }
  if (options_.requests_per_connection > 0 &&
      connection.answered >= options_.requests_per_connection) {
    close(slot, State::Queued);
    return;
  }
  fill(slot);
  pump_send(slot);
}

bool Engine::take_echo(std::uint32_t slot, std::span<const std::byte> data) {
  Connection& connection = connections_[slot];
  const std::uint64_t end = connection.received + data.size();
  if (end > connection.sending) {
    fail(slot, ErrorKind::WrongBytes,
         "more bytes came back than were sent: " + std::to_string(end) + " of " +
             std::to_string(connection.sending));
    return false;
  }
  const auto expected =
      connection.source->at(connection.source_begin + connection.received, data.size());
  if (std::memcmp(data.data(), expected.data(), data.size()) != 0) {
    const auto differs = std::ranges::mismatch(data, expected).in1 - data.begin();
    fail(slot, ErrorKind::WrongBytes,
         "the byte at position " +
             std::to_string(connection.received + static_cast<std::uint64_t>(differs)) +
             " of the stream is not the one that was sent");
    return false;
  }
  connection.received = end;
  while (!connection.messages.empty() && connection.messages.front().end <= end) {
    complete_message(connection);
  }
  return true;
}

bool Engine::take_http(std::uint32_t slot, std::span<const std::byte> data) {
  using Step = ResponseReader::Step;
  Connection& connection = connections_[slot];
  while (!data.empty()) {
    if (connection.answered == connection.issued) {
      fail(slot, ErrorKind::BadResponse, "bytes came that were not asked for");
      return false;
    }
    const Step step = connection.reader.step(data, answer_of(connection), options_.head_only);
    if (step == Step::BadResponse || step == Step::WrongBytes) {
      fail(slot, step == Step::WrongBytes ? ErrorKind::WrongBytes : ErrorKind::BadResponse,
           "the response for " + answer_of(connection).path + ": " + connection.reader.problem());
      return false;
    }
    if (step == Step::NeedsMore) {
      continue;
    }
    complete_message(connection);
    if (connection.reader.closes()) {
      close(slot, State::Queued);
      return false;
    }
  }
  return true;
}

void Engine::complete_message(Connection& connection) {
  ++connection.answered;
  if (connection.messages.empty()) {
    return;  // a slow reader's, which is not measured
  }
  record_latency(now_ns_ - std::min(now_ns_, connection.messages.front().due_ns));
  ++current_.messages;
  connection.messages.pop();
  --targets_[connection.target].in_flight;
}

void Engine::record_latency(std::uint64_t latency_ns) {
  current_.latency_ns.record(latency_ns);
  if (current_.windows.empty()) {
    return;
  }
  // What is answered after the end of the phase was asked for before it: the last window has it.
  const std::uint64_t passed_ns = now_ns_ - std::min(now_ns_, current_.begin_ns);
  const std::uint64_t length_ns = current_.phase.duration_ns / current_.windows.size() + 1;
  const std::uint64_t number = std::min(passed_ns / length_ns, current_.windows.size() - 1);
  Window& window = current_.windows[number];
  window.latency_ns.record(latency_ns);
  ++window.messages;
}

void Engine::on_end_of_stream(std::uint32_t slot) {
  Connection& connection = connections_[slot];
  // HTTP lets a server end a connection on which nothing is asked. One that has never answered
  // anything has ended it early all the same.
  const bool is_idle = is_http() && connection.messages.empty() && connection.reader.is_between() &&
                       connection.answered > 0;
  if (is_idle) {
    close(slot, State::Queued);
    return;
  }
  fail(slot, ErrorKind::ClosedEarly, "the server ended its stream");
}

}  // namespace load_client
