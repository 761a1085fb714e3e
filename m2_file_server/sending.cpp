// Sending: first text, then the pieces of a file in their order, one SEND in flight.

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <span>

#include "common/base/check.hpp"
#include "common/uring/prep.hpp"
#include "m2_file_server/file_server.hpp"
#include "m2_file_server/operations.hpp"

namespace file_server {

void FileServer::pump(std::uint32_t slot) {
  Connection& connection = server_->connection(slot);
  read_ahead(slot);
  if (connection.sending || connection.room.waiting()) {
    return;
  }
  if (connection.text_waits()) {
    send_text(slot);
  } else if (const auto id = connection.transfer.ready(chunks_)) {
    send_piece(slot, *id);
  } else if (connection.splice.in_pipe > 0) {
    empty_pipe(slot);
  } else if (connection.splice.to_read > 0) {
    splice_next(slot);
  }
}

void FileServer::go_on(std::uint32_t slot) {
  const Connection& connection = server_->connection(slot);
  if (!connection.text_waits() && connection.body_done()) {
    answer_done(slot);
  } else {
    pump(slot);
  }
}

void FileServer::send_text(std::uint32_t slot) {
  Connection& connection = server_->connection(slot);
  const auto rest = std::as_bytes(std::span(connection.text)).subspan(connection.text_sent);
  const int more = connection.body_done() ? 0 : MSG_MORE;
  uring::prep_send(server_->arm(slot, kSendText), connection.fd, rest, MSG_DONTWAIT | more);
  connection.sending = true;
}

// [snippet: send_piece]
void FileServer::send_piece(std::uint32_t slot, BufferId id) {
  Connection& connection = server_->connection(slot);
  if (!connection.head_written) {
    write_head(connection, id);
  }
  const Chunk& chunk = chunks_[id];
  const std::span<const std::byte> bytes =
      buffers_.memory(id).subspan(chunk.send_begin, chunk.send_end - chunk.send_begin);
  // MSG_MORE: the next piece follows at once, so an unfilled packet may wait for it.
  const bool last = connection.transfer.chunk_count() == 1 && !connection.transfer.wants_buffer();
  uring::prep_send(server_->arm(slot, kSendBuffer, id), connection.fd, bytes,
                   MSG_DONTWAIT | (last ? 0 : MSG_MORE));
  buffers_.begin(id, BufferState::Sending);
  connection.sending = true;
}
// [/snippet]

void FileServer::write_head(Connection& connection, BufferId id) {
  Chunk& chunk = chunks_[id];
  std::array<char, http::kMaxHeadBytes> head;
  const std::size_t size = http::write_head(connection.head, date_.at(std::time(nullptr)), head);
  Transfer::put_head(chunk, static_cast<std::uint32_t>(size));
  const auto bytes = std::as_bytes(std::span(head).first(size));
  std::ranges::copy(bytes, buffers_.memory(id).subspan(chunk.send_begin).begin());
  note_head(connection);
}

void FileServer::put_head_into_text(Connection& connection) {
  std::array<char, http::kMaxHeadBytes> head;
  connection.text.assign(head.data(),
                         http::write_head(connection.head, date_.at(std::time(nullptr)), head));
  connection.text_sent = 0;
  note_head(connection);
}

void FileServer::note_head(Connection& connection) {
  connection.head_written = true;
  connection.ending = connection.closes_after;
  http_.count(static_cast<unsigned>(connection.head.status));
}

void FileServer::on_text_sent(std::uint32_t slot, std::int32_t res) {
  Connection& connection = server_->connection(slot);
  connection.sending = false;
  const std::size_t asked = connection.text.size() - connection.text_sent;
  if (!server_->is_open(slot)) {
    return;
  }
  if (res > 0) {
    connection.text_sent += static_cast<std::size_t>(res);
  }
  if (accept_sent(slot, asked, res)) {
    go_on(slot);
  }
}

void FileServer::on_piece_sent(std::uint32_t slot, BufferId id, std::int32_t res) {
  Connection& connection = server_->connection(slot);
  buffers_.end(id, BufferState::Sending);
  connection.sending = false;
  if (!server_->is_open(slot)) {
    return;
  }
  const Chunk& chunk = chunks_[id];
  const std::size_t asked = chunk.send_end - chunk.send_begin;
  if (res > 0) {
    const std::uint32_t head_bytes = std::min(chunk.head_bytes, static_cast<std::uint32_t>(res));
    http_.file_bytes += static_cast<std::uint32_t>(res) - head_bytes;
    if (const auto emptied =
            connection.transfer.on_sent(chunks_, static_cast<std::uint32_t>(res))) {
      buffers_.release(*emptied);
    }
  }
  if (accept_sent(slot, asked, res)) {
    go_on(slot);
  }
}

bool FileServer::accept_sent(std::uint32_t slot, std::size_t asked, std::int32_t res) {
  if (res >= 0) {
    const auto sent = static_cast<std::size_t>(res);
    server_->note_sent(slot, sent);
    server_->connection(slot).room.note_sent();
    if (sent == asked) {
      return true;
    }
    wait_to_send(slot);  // the socket took what it has room for
    return false;
  }
  switch (kSocketPolicy.decide(kSendBuffer, res)) {
    case loop::Action::Retry:
      pump(slot);
      break;
    case loop::Action::AwaitReadiness:
      wait_to_send(slot);
      break;
    case loop::Action::Ignore:
      break;
    case loop::Action::Close:
      server_->close(slot, server::CloseReason::Error);
      break;
    default:
      close_unexpected(slot, "send", res);
      break;
  }
  return false;
}

// [snippet: wait_to_send]
void FileServer::wait_to_send(std::uint32_t slot) {
  Connection& connection = server_->connection(slot);
  connection.room.begin(*server_, slot, kWaitToSend);  // POLL_ADD, for POLLOUT
  ++counters_.sends_blocked;
  leave_list(slot);  // a buffer would be of no use before there is room: pump() asks again
  if (connection.transfer.chunk_count() > 0) {
    blocked_.push_back(slot, link_of());
  }
}
// [/snippet]

void FileServer::on_can_send(std::uint32_t slot, std::int32_t res) {
  const auto next = server_->connection(slot).room.on_polled(*server_, slot, res);
  if (next == server::RoomWait::Next::Wait) {
    return;
  }
  stop_waiting(slot);
  if (!server_->is_open(slot)) {
    return;
  }
  if (next == server::RoomWait::Next::Close) {
    return close_unexpected(slot, "wait to send", res);
  }
  pump(slot);
}

void FileServer::send_again(std::uint32_t slot) {
  stop_waiting(slot);
  pump(slot);
}

void FileServer::stop_waiting(std::uint32_t slot) {
  server_->connection(slot).room.end();
  leave_list(slot);
}

}  // namespace file_server
