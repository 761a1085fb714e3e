#include "tests/server/test_protocol.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <span>

#include "common/base/check.hpp"
#include "common/uring/prep.hpp"

namespace server_test {

using server::CloseReason;
using uring::io_uring_cqe;

TestProtocol::TestProtocol() {
  std::array<int, 2> fds{};
  CHECK(::pipe2(fds.data(), O_CLOEXEC) == 0);
  pipe_out_ = base::UniqueFd(fds[0]);
  pipe_in_ = base::UniqueFd(fds[1]);
}

uring::io_uring_sqe& TestProtocol::arm(std::uint32_t slot, Kind kind) {
  ++server_->connection(slot).operations;
  return server_->arm(slot, kind);
}

void TestProtocol::receive(std::uint32_t slot) {
  constexpr std::size_t kInputBytes = 4096;
  TestConnection& connection = server_->connection(slot);
  connection.bytes.resize(kInputBytes);
  uring::io_uring_sqe& sqe = arm(slot, kReceive);
  uring::prep_recv(sqe, connection.fd, connection.bytes, 0);
  server_->use_socket(sqe);
}

void TestProtocol::send(std::uint32_t slot) {
  TestConnection& connection = server_->connection(slot);
  uring::io_uring_sqe& sqe = arm(slot, kSend);
  uring::prep_send(sqe, connection.fd, std::span(connection.bytes).subspan(connection.sent), 0);
  server_->use_socket(sqe);
}

void TestProtocol::on_open(std::uint32_t slot) {
  CHECK(server_->connection(slot).operations == 0, "made anew");
  receive(slot);
}

void TestProtocol::on_completion(loop::OpId id, const io_uring_cqe& cqe) {
  --server_->connection(id.slot).operations;
  if (!server_->is_open(id.slot)) {
    if (id.kind == kReceive && cqe.res > 0) {
      server_->note_received(id.slot, static_cast<std::size_t>(cqe.res));
    }
    return;
  }
  switch (id.kind) {
    case kReceive:
      return on_received(id.slot, cqe.res);
    case kSend:
      return on_sent(id.slot, cqe.res);
    default:
      CHECK(false, "a pipe is only read for a connection that is closing");
  }
}

void TestProtocol::on_received(std::uint32_t slot, std::int32_t res) {
  if (res <= 0) {
    return server_->close(slot, res == 0 ? CloseReason::Done : CloseReason::Error);
  }
  TestConnection& connection = server_->connection(slot);
  connection.bytes.resize(static_cast<std::size_t>(res));
  server_->note_received(slot, connection.bytes.size());
  obey(slot, static_cast<Order>(connection.bytes.front()));
}

void TestProtocol::obey(std::uint32_t slot, Order order) {
  TestConnection& connection = server_->connection(slot);
  connection.sent = 0;
  switch (order) {
    case kFinish:
      connection.finishing = true;
      connection.bytes.assign(kAnswerBytes, std::byte{'a'});
      break;
    case kFinishReceiving:
      receive(slot);
      return server_->finish(slot);
    case kClose:
      return close_in_flight(slot);
    case kCloseReadingPipe:
      uring::prep_read(arm(slot, kReadPipe), pipe_out_.get(), std::span(connection.bytes).first(1),
                       0);
      return server_->close(slot, CloseReason::Done);
    case kFeedPipe:
      CHECK(::write(pipe_in_.get(), "x", 1) == 1);
      break;
    case kDeadline:
    case kRenewDeadline:
      connection.renewing = order == kRenewDeadline;
      server_->set_deadline(slot, server_->turn_ns() + kDeadlineNs);
      break;
    case kHold:
      connection.holding = true;
      break;
    case kStopReading:
      return server_->stop_reading(slot);
    case kTakeDescriptors:
      take_descriptors();
      break;
    case kGiveDescriptors:
      taken_.clear();
      break;
  }
  send(slot);
}

void TestProtocol::close_in_flight(std::uint32_t slot) {
  receive(slot);
  server_->close(slot, CloseReason::Done);
  server_->close(slot, CloseReason::Error);
}

void TestProtocol::take_descriptors() {
  for (int fd = ::dup(pipe_out_.get()); fd >= 0; fd = ::dup(pipe_out_.get())) {
    taken_.emplace_back(fd);
  }
}

void TestProtocol::on_sent(std::uint32_t slot, std::int32_t res) {
  if (res < 0) {
    return server_->close(slot, CloseReason::Error);
  }
  TestConnection& connection = server_->connection(slot);
  connection.sent += static_cast<std::size_t>(res);
  server_->note_sent(slot, static_cast<std::size_t>(res));
  if (connection.sent < connection.bytes.size()) {
    return send(slot);
  }
  if (connection.finishing) {
    return server_->finish(slot);
  }
  receive(slot);
}

void TestProtocol::on_stale(loop::OpId /*id*/, const io_uring_cqe& /*cqe*/) {
  CHECK(false, "a completion came after its connection was released");
}

void TestProtocol::on_deadline(std::uint32_t slot) {
  ++deadlines_;
  TestConnection& connection = server_->connection(slot);
  if (connection.renewing) {
    connection.renewing = false;
    server_->set_deadline(slot, server_->turn_ns() + kDeadlineNs);
  } else {
    server_->close(slot, CloseReason::Idle);
  }
}

void TestProtocol::on_drain(std::uint32_t slot) {
  if (!server_->connection(slot).holding) {
    server_->finish(slot);
  }
}

void TestProtocol::on_closing(std::uint32_t slot) {
  TestConnection& connection = server_->connection(slot);
  CHECK(!connection.left, "once");
  connection.left = true;
}

void TestProtocol::on_closed(std::uint32_t slot) {
  TestConnection& connection = server_->connection(slot);
  CHECK(connection.left, "on_closing() comes before");
  CHECK(connection.operations == 0, "the last completion comes before");
  ++closed_calls_;
  connection.bytes = {};  // ASan sees it if the kernel's turn was not over
}

server::Waiting TestProtocol::waiting(const TestConnection& connection) const {
  CHECK(connection.left, "on_closing() comes before");
  server::Waiting waiting;  // one of them may not be in flight: a cancel finds nothing then
  waiting.add(kReceive);
  waiting.add(kSend);
  return waiting;
}

std::size_t TestProtocol::waiting_bytes(const TestConnection& connection) const {
  return is_writing(connection) ? connection.bytes.size() - connection.sent : 0;
}

bool TestProtocol::is_writing(const TestConnection& connection) const {
  return connection.finishing && connection.sent < connection.bytes.size();
}

std::string TestProtocol::report_counters() const {
  return "closed_calls " + std::to_string(closed_calls_) + "\ndeadlines " +
         std::to_string(deadlines_) + '\n';
}

std::string TestProtocol::report_details() const {
  // The server's own operations: the ACCEPT is one of them.
  return "slots_in_use " + std::to_string(server_->loop().slots().in_use()) + "\nin_flight " +
         std::to_string(server_->loop().in_flight()) + '\n';
}

}  // namespace server_test
