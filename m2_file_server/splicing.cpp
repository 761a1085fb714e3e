// The way of larger files with --splice: file -> pipe -> socket, without our memory.
//
// What is weaker here than on the way through a buffer: a pipe holds the pages of the file, not a
// copy. A file that is rewritten in place, or truncated, while they wait in the pipe or in the socket
// changes what the client gets. So does sendfile(2). Files that are replaced by rename are safe.

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "common/base/check.hpp"
#include "common/uring/prep.hpp"
#include "m2_file_server/file_server.hpp"
#include "m2_file_server/operations.hpp"

namespace file_server {
namespace {

// Below, two trips to a worker thread cost more than two copies.
constexpr std::uint64_t kSpliceFrom = 32 << 10;

}  // namespace

bool FileServer::begin_splice(Connection& connection, const http::Response& response) {
  if (pipes_.size() == 0 || response.file_bytes < kSpliceFrom) {
    return false;
  }
  const auto pipe = pipes_.acquire();
  if (!pipe) {
    return false;
  }
  connection.splice = {
      .pipe = *pipe, .offset = response.file_first, .to_read = response.file_bytes};
  put_head_into_text(connection);
  return true;
}

// Both steps as a chain: one worker does the second right behind the first, while the pages' records
// are in its cache. The chain breaks if the first step gives fewer bytes than it was asked for.
// [snippet: splice]
void FileServer::splice_next(std::uint32_t slot) {
  Connection& connection = server_->connection(slot);
  if (check_version(connection, ReadOutcome::Filled) != ReadOutcome::Filled) {
    return break_off(slot, Redo::Anew);
  }
  Splice& splice = connection.splice;
  const OpenFile& file = *connection.file;
  splice.in_pipe = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(splice.to_read, pipes_.capacity(splice.pipe)));
  splice.asked = splice.in_pipe;
  const bool has_place = file.place != kNoPlace;
  uring::io_uring_sqe& fill = server_->arm(slot, kFillPipe);
  uring::prep_splice(fill, has_place ? file.place : file.fd.get(), splice.offset,
                     pipes_.write_end(splice.pipe), uring::kNoOffset, splice.in_pipe,
                     has_place ? uring::SPLICE_F_FD_IN_FIXED : 0);
  fill.flags |= uring::IOSQE_IO_LINK;
  splice.offset += splice.in_pipe;
  splice.to_read -= splice.in_pipe;
  count_read(connection);
  empty_pipe(slot);
}

void FileServer::empty_pipe(std::uint32_t slot) {
  Connection& connection = server_->connection(slot);
  const Splice& splice = connection.splice;
  uring::prep_splice(server_->arm(slot, kEmptyPipe), pipes_.read_end(splice.pipe), uring::kNoOffset,
                     connection.fd, uring::kNoOffset, splice.in_pipe,
                     splice.to_read > 0 ? SPLICE_F_MORE : 0);
  connection.sending = true;
}
// [/snippet]

// Whatever it says: the completion of the second step follows, and goes on from there.
void FileServer::on_pipe_filled(std::uint32_t slot, std::int32_t res) {
  Connection& connection = server_->connection(slot);
  Splice& splice = connection.splice;
  uncount_read(connection);
  const std::uint32_t missing = splice.asked - static_cast<std::uint32_t>(std::max(res, 0));
  splice.in_pipe -= missing;
  splice.offset -= missing;
  splice.to_read += missing;
  splice.fill_res = res;
}

void FileServer::on_pipe_emptied(std::uint32_t slot, std::int32_t res) {
  Connection& connection = server_->connection(slot);
  Splice& splice = connection.splice;
  connection.sending = false;
  const std::size_t asked = splice.in_pipe;
  if (res > 0) {
    splice.in_pipe -= static_cast<std::uint32_t>(res);
    http_.file_bytes += static_cast<std::uint32_t>(res);
  }
  if (!server_->is_open(slot)) {
    return;
  }
  if (res == -ECANCELED) {
    return after_broken_chain(slot);
  }
  if (accept_sent(slot, asked, res)) {
    go_on(slot);
  }
}

void FileServer::after_broken_chain(std::uint32_t slot) {
  const Splice& splice = server_->connection(slot).splice;
  const bool passes = splice.fill_res == -EAGAIN || splice.fill_res == -EINTR;
  if (splice.in_pipe > 0 || (passes && ++server_->connection(slot).splice.retries < kMostRetries)) {
    return pump(slot);
  }
  break_off(slot, Redo::Anew);
}

void FileServer::release_pipe(Connection& connection) {
  if (connection.splice.pipe != kNoPipe) {
    pipes_.release(connection.splice.pipe, connection.splice.in_pipe == 0);
  }
  connection.splice = {};
}

}  // namespace file_server
