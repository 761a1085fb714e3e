// Reading files into buffers: who gets one, what a read that has ended means.

#include <algorithm>
#include <span>
#include <utility>

#include "common/base/check.hpp"
#include "common/uring/prep.hpp"
#include "m2_file_server/file_server.hpp"
#include "m2_file_server/operations.hpp"

namespace file_server {
namespace {

constexpr std::uint8_t kMostRedone = 3;

}  // namespace

// [snippet: read_ahead]
void FileServer::read_ahead(std::uint32_t slot) {
  Connection& connection = server_->connection(slot);
  while (connection.transfer.wants_buffer() && may_take_buffer(connection)) {
    const auto id = buffers_.acquire();
    if (!id) {
      break;
    }
    start_piece(slot, *id);
  }
  if (connection.transfer.wants_buffer() && connection.transfer.chunk_count() == 0 &&
      !connection.room.waiting()) {
    wait_for_buffer(slot);
  }
}

bool FileServer::may_take_buffer(const Connection& connection) const {
  if (connection.room.waiting() || connection.redo != Redo::No || !wants_buffer_.empty()) {
    return false;
  }
  const std::uint16_t held = connection.transfer.chunk_count();
  return held == 0 ||
         (held < options_.read_ahead && buffers_.count(BufferState::Free) > buffers_.size() / 4);
}
// [/snippet]

void FileServer::start_piece(std::uint32_t slot, BufferId id) {
  server_->connection(slot).transfer.add(chunks_, id);
  arm_read(slot, id);
}

// [snippet: arm_read]
void FileServer::arm_read(std::uint32_t slot, BufferId id) {
  Connection& connection = server_->connection(slot);
  const ReadRequest read = Transfer::next_read(chunks_[id]);
  const std::span<std::byte> into = buffers_.body(id).subspan(read.body_begin, read.size);
  uring::io_uring_sqe& sqe = server_->arm(slot, kRead, id);
  const OpenFile& file = *connection.file;
  const bool has_place = file.place != kNoPlace;
  const int fd = has_place ? file.place : file.fd.get();
  if (buffers_.registered()) {
    uring::prep_read_fixed(sqe, fd, into, read.offset, id);
  } else {
    uring::prep_read(sqe, fd, into, read.offset);
  }
  if (has_place) {
    sqe.flags |= uring::IOSQE_FIXED_FILE;
  }
  buffers_.begin(id, BufferState::Reading);
  count_read(connection);
}
// [/snippet]

void FileServer::count_read(Connection& connection) {
  ++connection.reads_in_flight;
  ++counters_.reads;
  ++counters_.reads_in_flight;
  counters_.reads_in_flight_max =
      std::max(counters_.reads_in_flight_max, counters_.reads_in_flight);
}

void FileServer::uncount_read(Connection& connection) {
  --connection.reads_in_flight;
  --counters_.reads_in_flight;
}

void FileServer::on_read(std::uint32_t slot, BufferId id, std::int32_t res) {
  Connection& connection = server_->connection(slot);
  buffers_.end(id, BufferState::Reading);
  uncount_read(connection);
  if (!server_->is_open(slot)) {
    return;
  }
  if (connection.redo != Redo::No) {
    return redo(slot);
  }
  switch (check_version(connection, Transfer::on_read(chunks_[id], res))) {
    case ReadOutcome::Filled:
      return pump(slot);
    case ReadOutcome::Again:
      counters_.short_reads += res > 0 ? 1 : 0;
      return arm_read(slot, id);
    case ReadOutcome::Ended:
      return break_off(slot, Redo::Anew);
    case ReadOutcome::Failed:
      return break_off(slot, Redo::AsFailed);
  }
}

// [snippet: check_version]
ReadOutcome FileServer::check_version(Connection& connection, ReadOutcome outcome) {
  if (outcome != ReadOutcome::Filled) {
    return outcome;
  }
  const auto now = FileTable::version(*connection.file, server_->batch());
  return now && *now == connection.version ? ReadOutcome::Filled : ReadOutcome::Ended;
}
// [/snippet]

// The answer cannot go on as it began. While nothing has been sent there can be another one; else
// the head has promised what we do not have, and only a closed connection says so.
void FileServer::break_off(std::uint32_t slot, Redo redo_as) {
  Connection& connection = server_->connection(slot);
  if (connection.head_written) {
    ++http_.broken_off;
    return server_->close(slot, server::CloseReason::Error);
  }
  const bool again = redo_as != Redo::Anew || ++connection.redone <= kMostRedone;
  connection.redo = again ? redo_as : Redo::AsBusy;
  redo(slot);
}

void FileServer::redo(std::uint32_t slot) {
  Connection& connection = server_->connection(slot);
  if (connection.reads_in_flight > 0) {
    return;  // they write into buffers of the answer that is given up
  }
  drop_pieces(connection);
  connection.file.reset();
  connection.transfer = {};
  switch (std::exchange(connection.redo, Redo::No)) {
    case Redo::Anew:
      ++counters_.answers_redone;
      return answer(slot);
    case Redo::AsBusy:
      return answer_error(slot, http::Status::ServiceUnavailable);
    case Redo::AsFailed:
      return answer_error(slot, http::Status::InternalServerError);
    case Redo::No:
      CHECK(false, "somebody has broken the answer off");
  }
}

void FileServer::drop_pieces(Connection& connection) {
  while (const auto id = connection.transfer.pop(chunks_)) {
    buffers_.release(*id);
  }
}

// --- when there are not enough ---------------------------------------------------------------------

void FileServer::wait_for_buffer(std::uint32_t slot) {
  if (!server_->connection(slot).link.linked) {
    ++counters_.buffer_waits;
    wants_buffer_.push_back(slot, link_of());
  }
}

// Buffers that came free in this turn go to those who wait, one each: they have the first claim. A
// handler arms so many requests at most, and the reads armed here bring the next turn.
void FileServer::before_wait() {
  for (std::uint32_t i = 0; i < kMaxSqesPerHandler && !wants_buffer_.empty(); ++i) {
    const auto id = buffers_.acquire();
    if (!id) {
      if (!take_back()) {
        return;  // all are lent: each comes back with a completion
      }
      continue;
    }
    const std::uint32_t slot = wants_buffer_.first();
    wants_buffer_.remove(slot, link_of());
    if (server_->is_open(slot)) {
      start_piece(slot, *id);
    } else {
      buffers_.release(*id);
    }
  }
}

// [snippet: take_back]
// From the client that has not read for longest. Nothing of it is lent to the kernel: a blocked
// answer has a poll in flight, no SEND, and those with a read in flight are left alone.
bool FileServer::take_back() {
  const auto link = link_of();
  for (std::uint32_t slot = blocked_.first(); slot != server::kNoSlot; slot = link(slot).next) {
    Connection& connection = server_->connection(slot);
    if (connection.reads_in_flight > 0) {
      continue;
    }
    blocked_.remove(slot, link);
    keep_head(connection);
    connection.transfer.rewind(chunks_);
    counters_.buffers_taken_back += connection.transfer.chunk_count();
    drop_pieces(connection);
    return true;
  }
  return false;
}
// [/snippet]

// What is unsent of a head cannot be read again from the file.
void FileServer::keep_head(Connection& connection) {
  const auto id = connection.transfer.ready(chunks_);
  if (!id || chunks_[*id].head_bytes == 0) {
    return;
  }
  const Chunk& chunk = chunks_[*id];
  const std::span<const std::byte> head =
      buffers_.memory(*id).subspan(chunk.send_begin, chunk.head_bytes);
  connection.text.assign(reinterpret_cast<const char*>(head.data()), head.size());
  connection.text_sent = 0;
}

void FileServer::leave_list(std::uint32_t slot) {
  const Connection& connection = server_->connection(slot);
  if (connection.link.linked) {
    (connection.transfer.chunk_count() > 0 ? blocked_ : wants_buffer_).remove(slot, link_of());
  }
}

}  // namespace file_server
