// How answers get to the socket.

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/base/check.hpp"
#include "docs/epoll_reference/http/http_protocol.hpp"
#include "docs/epoll_reference/server/server.hpp"

namespace epoll_reference {
namespace {

// Up to here the head waits in the kernel for the first bytes of the file (MSG_MORE), one packet for
// both. Measured in pairs that takes a tenth to a third off the CPU time of bodies of 16 to 128 KiB, and
// adds a tenth from 256 KiB on.
constexpr std::uint64_t kLargestBodyForMore = 128 << 10;

}  // namespace

HttpProtocol::Step HttpProtocol::send_batch(HttpConnection& connection, bool more,
                                            std::size_t of_body) {
  const std::span<const std::byte> all = batch_.contents();
  batch_.cut(0);
  const ssize_t result =
      ::send(connection.fd, all.data(), all.size(), MSG_NOSIGNAL | (more ? MSG_MORE : 0));
  if (result < 0 && base::last_error().value != EAGAIN) {
    connection.server->close(connection, CloseReason::Error);
    return Step::Closed;
  }
  const std::size_t sent = result < 0 ? 0 : static_cast<std::size_t>(result);
  if (sent > 0) {
    connection.server->note_sent(connection, sent);
  }
  if (sent == all.size()) {
    return Step::Done;
  }
  const std::size_t to_read_again = std::min(all.size() - sent, of_body);
  connection.body.offset -= to_read_again;
  connection.body.left += to_read_again;
  return keep_for_later(connection, all.subspan(sent, all.size() - sent - to_read_again));
}

HttpProtocol::Step HttpProtocol::keep_for_later(HttpConnection& connection,
                                                std::span<const std::byte> rest) {
  if (!rest.empty()) {
    const auto accepted = connection.out.write(connection.fd, rest);
    if (!accepted) {
      connection.server->close(connection, CloseReason::Error);
      return Step::Closed;
    }
    CHECK(*accepted == rest.size(), "nothing waited, and a batch is below the limit");
    if (connection.out.size() < rest.size()) {
      connection.server->note_sent(connection, rest.size() - connection.out.size());
    }
  }
  return Step::Blocked;
}

HttpProtocol::Step HttpProtocol::flush_waiting(HttpConnection& connection) {
  const std::size_t waiting = connection.out.size();
  if (waiting == 0) {
    return Step::Done;
  }
  if (!connection.out.flush(connection.fd)) {
    connection.server->close(connection, CloseReason::Error);
    return Step::Closed;
  }
  if (connection.out.size() < waiting) {
    connection.server->note_sent(connection, waiting - connection.out.size());
  }
  return connection.out.waiting() ? Step::Blocked : Step::Done;
}

HttpProtocol::Step HttpProtocol::send_body(HttpConnection& connection, Share& share) {
  if (share.bytes == 0) {
    return Step::TurnUsedUp;
  }
  return connection.body.by_sendfile ? send_by_sendfile(connection, share)
                                     : read_into_batch(connection, share);
}

HttpProtocol::Step HttpProtocol::send_by_sendfile(HttpConnection& connection, Share& share) {
  FileBody& body = connection.body;
  if (batch_.size() > 0) {
    const bool more = body.left <= kLargestBodyForMore;
    if (const Step step = send_batch(connection, more); step != Step::Done) {
      return step;
    }
  }
  if (!is_same_version(body)) {
    return break_off(connection);
  }
  auto offset = static_cast<off_t>(body.offset);
  const std::uint64_t wanted = std::min(body.left, share.bytes);
  const ssize_t result = ::sendfile(connection.fd, body.file->fd.get(), &offset, wanted);
  ++work_.sendfile_calls;
  if (result < 0) {
    return sendfile_failed(connection, base::last_error());
  }
  if (result == 0) {
    return break_off(connection);
  }
  const auto sent = static_cast<std::uint64_t>(result);
  connection.server->note_sent(connection, sent);
  count_body(body, share, sent);
  // The kernel has sent less than it was asked for if the socket is full, or the file has ended: then
  // the next call says so.
  return sent < wanted ? Step::Blocked : Step::Done;
}

HttpProtocol::Step HttpProtocol::sendfile_failed(HttpConnection& connection, base::Errno error) {
  switch (error.value) {
    case EAGAIN:
      return Step::Blocked;
    case EINVAL:  // the file system cannot do it
    case ENOSYS:
      connection.body.by_sendfile = false;
      return Step::Done;
    case EIO:  // of the disk
      return break_off(connection);
    default:
      connection.server->close(connection, CloseReason::Error);
      return Step::Closed;
  }
}

HttpProtocol::Step HttpProtocol::read_into_batch(HttpConnection& connection, Share& share) {
  FileBody& body = connection.body;
  if (body.left > batch_.space().size() && batch_.size() > 0) {
    if (const Step step = send_batch(connection); step != Step::Done) {
      return step;
    }
  }
  if (!is_same_version(body)) {
    return break_off(connection);
  }
  const std::span<char> space = batch_.space();
  const ssize_t result =
      ::pread(body.file->fd.get(), space.data(), std::min<std::uint64_t>(space.size(), body.left),
              static_cast<off_t>(body.offset));
  if (result <= 0) {
    return break_off(connection);
  }
  const auto read = static_cast<std::size_t>(result);
  batch_.added(read);
  count_body(body, share, read);
  return body.left == 0 ? Step::Done : send_batch(connection, false, read);
}

void HttpProtocol::count_body(FileBody& body, Share& share, std::uint64_t bytes) {
  counters_.file_bytes += bytes;
  share.bytes -= std::min(share.bytes, bytes);
  body.offset += bytes;
  body.left -= bytes;
  if (body.left == 0) {
    body.file.reset();
  }
}

// One version of the file or none: what was sent already cannot be taken back, but the rest must not
// be of another one.
bool HttpProtocol::is_same_version(FileBody& body) const {
  if (body.version_at_ns != reactor_.turn_ns()) {
    const auto version = file_version(body.file->fd.get());
    if (!version || *version != body.version) {
      return false;
    }
    body.version_at_ns = reactor_.turn_ns();
  }
  return true;
}

// The head has promised more than there is. The client sees it by the end of the connection: it must not
// get anything in place of what is missing.
HttpProtocol::Step HttpProtocol::break_off(HttpConnection& connection) {
  ++counters_.broken_off;
  connection.body = FileBody();
  connection.ending = true;
  return Step::Done;
}

}  // namespace epoll_reference
