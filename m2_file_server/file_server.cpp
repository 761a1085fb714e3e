// From bytes to a request, and the order of things on a connection.

#include "m2_file_server/file_server.hpp"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <utility>

#include "common/base/check.hpp"
#include "common/support/counters.hpp"
#include "common/uring/prep.hpp"
#include "m2_file_server/operations.hpp"

namespace file_server {
namespace {

// For a body that is read past: it is not kept, so the size only says how often we must ask.
constexpr std::size_t kBodyInputBytes = 16 << 10;

}  // namespace

FileServer::FileServer(int root, BufferPool& buffers, FileTable& files, const ServeOptions& options)
    : root_(root),
      buffers_(buffers),
      files_(files),
      options_(options),
      chunks_(buffers.size()),
      pipes_(options.splice ? buffers.size() : std::uint16_t{0}) {}

void FileServer::on_open(std::uint32_t slot) {
  server_->connection(slot).parser = http::RequestParser(options_.limits);
  start_header_timeout(slot);
  receive(slot);
}

// [snippet: file_dispatch]
void FileServer::on_completion(loop::OpId id, const uring::io_uring_cqe& cqe) {
  switch (id.kind) {
    case kRecv:
      return on_received(id.slot, cqe.res);
    case kSendText:
      return on_text_sent(id.slot, cqe.res);
    case kSendBuffer:
      return on_piece_sent(id.slot, id.aux, cqe.res);
    case kWaitToSend:
      return on_can_send(id.slot, cqe.res);
    case kRead:
      return on_read(id.slot, id.aux, cqe.res);
    case kOpen:
      return on_opened(id.slot, cqe.res);
    case kFillPipe:
      return on_pipe_filled(id.slot, cqe.res);
    case kEmptyPipe:
      return on_pipe_emptied(id.slot, cqe.res);
    default:
      CHECK(false, "one of the kinds above");
  }
}
// [/snippet]

void FileServer::on_stale(loop::OpId id, const uring::io_uring_cqe& cqe) {
  if (id.kind == kOpen && cqe.res >= 0) {
    base::UniqueFd{cqe.res}.reset();
  }
}

void FileServer::on_closed(std::uint32_t slot) {
  Connection& connection = server_->connection(slot);
  CHECK(connection.reads_in_flight == 0 && !connection.sending, "its last completion has come");
  leave_list(slot);
  drop_pieces(connection);
  release_pipe(connection);
  connection.file.reset();
  // The slot may stay unused for long: what a thousand large requests have needed goes now.
  connection.input.clear();
  connection.text = {};
  connection.held_head = {};
  connection.opening_path = {};
}

void FileServer::on_deadline(std::uint32_t slot) {
  if (server_->connection(slot).room.waiting()) {
    return send_again(slot);  // there is no other deadline while we answer: see server::RoomWait
  }
  refuse(slot, http::Status::RequestTimeout);
}

void FileServer::on_drain(std::uint32_t slot) {
  if (is_idle(server_->connection(slot))) {
    server_->finish(slot);
  }
}

bool FileServer::is_idle(const Connection& connection) {
  return connection.state == Connection::State::ReadingHead && connection.input.empty() &&
         !connection.text_waits() && !connection.sending;
}

// --- receiving ------------------------------------------------------------------------------------

void FileServer::receive(std::uint32_t slot) {
  Connection& connection = server_->connection(slot);
  CHECK(!connection.receiving && !connection.input.full());
  uring::prep_recv(server_->arm(slot, kRecv), connection.fd, connection.input.space(), 0);
  connection.receiving = true;
}

void FileServer::on_received(std::uint32_t slot, std::int32_t res) {
  Connection& connection = server_->connection(slot);
  connection.receiving = false;
  if (res > 0) {
    server_->note_received(slot, static_cast<std::size_t>(res));
    connection.input.received(static_cast<std::size_t>(res));
  }
  if (!server_->is_open(slot) || connection.closes_after) {
    return;  // refused meanwhile (408): what comes now is thrown away
  }
  if (res > 0) {
    return proceed(slot);
  }
  if (res == 0) {
    return server_->close(slot, server::CloseReason::Done);
  }
  switch (kSocketPolicy.decide(kRecv, res)) {
    case loop::Action::Retry:
      return receive(slot);
    case loop::Action::Ignore:
      return;
    case loop::Action::Close:
      return server_->close(slot, server::CloseReason::Error);
    default:
      return close_unexpected(slot, "receive", res);
  }
}

// A network can bring errors that nobody has listed. They end one connection, not the server.
void FileServer::close_unexpected(std::uint32_t slot, const char* what, std::int32_t res) {
  std::fprintf(stderr, "m2_file_server: cannot %s: %s\n", what, base::Errno{-res}.message());
  server_->close(slot, server::CloseReason::Error);
}

void FileServer::proceed(std::uint32_t slot) {
  Connection& connection = server_->connection(slot);
  bool complete = false;
  if (connection.state == Connection::State::ReadingHead) {
    complete = read_head(slot);
  }
  if (connection.state == Connection::State::SkippingBody) {
    complete = skip_body(slot);
  }
  if (complete) {
    answer(slot);
  }
}

bool FileServer::read_head(std::uint32_t slot) {
  Connection& connection = server_->connection(slot);
  switch (connection.parser.parse(connection.input.contents())) {
    case http::ParseState::Incomplete:
      receive_more(slot);
      return false;
    case http::ParseState::Error:
      refuse(slot, connection.parser.error());
      return false;
    case http::ParseState::Complete:
      break;
  }
  server_->set_deadline(slot, 0);
  const http::Request& request = connection.parser.request();
  // Who waits for a "100 Continue" gets the answer instead, and no more requests.
  if (request.has_body() && !request.expect_continue) {
    connection.skipper = http::BodySkipper(request, options_.limits);
    connection.held_head = connection.input.contents().substr(0, connection.parser.head_bytes());
    connection.input.consume(connection.held_head.size());
    connection.state = Connection::State::SkippingBody;
    return false;
  }
  return true;
}

bool FileServer::skip_body(std::uint32_t slot) {
  Connection& connection = server_->connection(slot);
  const http::Skipped skipped = connection.skipper.skip(connection.input.contents());
  connection.input.consume(skipped.consumed);
  switch (skipped.state) {
    case http::SkipState::More:
      connection.input.grow(kBodyInputBytes);
      receive(slot);
      return false;
    case http::SkipState::Error:
      refuse(slot, connection.skipper.error());
      return false;
    case http::SkipState::Done:
      break;
  }
  ++http_.bodies_skipped;
  connection.parser.parse(connection.held_head);  // moves its views there
  return true;
}

void FileServer::receive_more(std::uint32_t slot) {
  Connection& connection = server_->connection(slot);
  if (server_->draining() && connection.input.empty()) {
    return server_->finish(slot);
  }
  if (connection.input.full()) {
    connection.input.grow(options_.limits.max_head_bytes + 2);  // a CRLF may stand in front
  }
  CHECK(!connection.input.full(), "a head that fills the input has been refused");
  if (!connection.input.empty() && connection.deadline_ns == 0) {
    start_header_timeout(slot);
  }
  receive(slot);
}

void FileServer::start_header_timeout(std::uint32_t slot) {
  if (options_.header_timeout.count() > 0) {
    server_->set_deadline(
        slot, server_->turn_ns() + static_cast<std::uint64_t>(options_.header_timeout.count()));
  }
}

// A SEND does not wait, and what is in flight on files ends by itself.
server::Waiting FileServer::waiting(const Connection& connection) const {
  server::Waiting waiting;
  if (connection.receiving) {
    waiting.add(kRecv);
  }
  if (connection.room.polling()) {
    waiting.add(kWaitToSend);
  }
  return waiting;
}

// --- the report ----------------------------------------------------------------------------------

std::size_t FileServer::waiting_bytes(const Connection& connection) const {
  return connection.text.size() - connection.text_sent + connection.splice.in_pipe +
         connection.transfer.unsent_bytes(chunks_);
}

bool FileServer::is_writing(const Connection& connection) const {
  return connection.state == Connection::State::Answering;
}

std::uint32_t FileServer::spare_descriptors() const {
  return static_cast<std::uint32_t>(options_.file_cache) + 2U * pipes_.size();
}

std::string FileServer::report_counters() const {
  const BufferCounters buffers{.buffers_free = buffers_.count(BufferState::Free),
                               .buffers_reading = buffers_.count(BufferState::Reading),
                               .buffers_filled = buffers_.count(BufferState::Held),
                               .buffers_sending = buffers_.count(BufferState::Sending)};
  return support::counters_as_text(http_) + support::counters_as_text(counters_) +
         support::counters_as_text(buffers) + support::counters_as_text(files_.counters());
}

}  // namespace file_server
