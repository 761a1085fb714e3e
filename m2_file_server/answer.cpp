// From a request to an answer: finding the file, opening it, and what the head says.

#include <fcntl.h>
#include <linux/openat2.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <utility>

#include "common/base/check.hpp"
#include "common/http/response_head.hpp"
#include "common/http/target_path.hpp"
#include "common/uring/prep.hpp"
#include "m2_file_server/file_server.hpp"
#include "m2_file_server/operations.hpp"

namespace file_server {
namespace {

constexpr std::size_t kNameBytes = http::Limits{}.max_target_bytes + 2;
constexpr std::size_t kIndexNameBytes = kNameBytes + http::kIndexBytes;
constexpr std::size_t kTextHeadBytes = http::kMaxHeadBytes + kNameBytes;
// A rename may race with the ".." of a symlink: the kernel then gives up with EAGAIN rather than
// follow it to where it should not. Whoever renames all the time gets an error, not our CPU.
constexpr std::uint8_t kOpenAttempts = 8;

// The kernel resolves the name and refuses to leave the root on the way: no check of ours on the text
// of a name can do that, since a symlink may change between the check and the open. O_NONBLOCK: a
// FIFO is opened without waiting for its other side.
// [snippet: open_how]
constexpr open_how open_how_of(bool direct) {
  open_how how{};
  how.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (direct ? O_DIRECT : 0);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return how;
}
// [/snippet]

constexpr open_how kOpenHow = open_how_of(false);
constexpr open_how kOpenHowDirect = open_how_of(true);

}  // namespace

http::Request FileServer::request_of(const Connection& connection) const {
  http::Request request = connection.parser.request();
  request.keep_alive = request.keep_alive && !server_->draining();
  return request;
}

void FileServer::answer(std::uint32_t slot) {
  const Connection& connection = server_->connection(slot);
  const http::Request& request = connection.parser.request();
  if (request.method == http::Method::Other) {
    return answer_error(slot, http::Status::MethodNotAllowed);
  }
  std::array<char, kNameBytes> name;
  const auto path = http::decode_target_path(request.path, name);
  if (!path) {
    return answer_error(slot, path.error());
  }
  if (!path->ends_with_slash) {
    return look_up(slot, path->name);
  }
  std::array<char, kIndexNameBytes> index;
  look_up(slot, http::index_path(path->name, index));
}

void FileServer::look_up(std::uint32_t slot, std::string_view path) {
  FileUse file;
  if (files_.find(path, server_->batch(), server_->turn_ns(), file)) {
    return answer_file(slot, std::move(file));
  }
  Connection& connection = server_->connection(slot);
  connection.state = Connection::State::Opening;
  connection.opening_path = path;
  connection.opening_direct = options_.direct;
  connection.open_attempts = 0;
  open(slot);
}

void FileServer::open(std::uint32_t slot) {
  Connection& connection = server_->connection(slot);
  ++connection.open_attempts;
  const open_how& how = connection.opening_direct ? kOpenHowDirect : kOpenHow;
  uring::prep_openat2(server_->arm(slot, kOpen), root_, connection.opening_path.c_str(), &how,
                      sizeof how);
}

void FileServer::on_opened(std::uint32_t slot, std::int32_t res) {
  Connection& connection = server_->connection(slot);
  base::Result<base::UniqueFd> fd = base::fail(-res);
  if (res >= 0) {
    fd = base::UniqueFd(res);
  } else if (server_->is_open(slot) && should_open_again(connection, fd.error())) {
    return open(slot);
  }
  // Even if the client has gone: the table waits for what it has asked for.
  FileUse file;
  const Lookup lookup = files_.opened(connection.opening_path, std::move(fd), server_->batch(),
                                      server_->turn_ns(), file);
  connection.opening_path = {};
  if (lookup == Lookup::File && options_.direct && !connection.opening_direct) {
    note_direct_refused();  // not for folders and FIFOs, which never take O_DIRECT
  }
  if (server_->is_open(slot)) {
    answer_lookup(slot, lookup, std::move(file));
  }
}

bool FileServer::should_open_again(Connection& connection, base::Errno error) {
  switch (error.value) {
    case EINVAL:
      if (!connection.opening_direct) {
        return false;
      }
      connection.opening_direct = false;
      return true;
    case EMFILE:
    case ENFILE:
      return files_.evict_one();
    case EAGAIN:
    case EINTR:
      return connection.open_attempts < kOpenAttempts;
    default:
      return false;
  }
}

void FileServer::note_direct_refused() {
  ++counters_.direct_fallbacks;
  if (!std::exchange(direct_refused_, true)) {
    std::fprintf(stderr,
                 "m2_file_server: note: this file system refuses O_DIRECT; its files are read "
                 "through the page cache\n");
  }
}

void FileServer::answer_lookup(std::uint32_t slot, Lookup lookup, FileUse file) {
  if (lookup == Lookup::File) {
    return answer_file(slot, std::move(file));
  }
  if (lookup == Lookup::Folder) {
    std::array<char, kNameBytes> name;
    const auto path =
        http::decode_target_path(server_->connection(slot).parser.request().path, name);
    CHECK(path, "it was decoded before");
    if (!path->ends_with_slash) {
      return redirect(slot, path->name);
    }
  }
  answer_error(slot, http::status_of(lookup));
}

void FileServer::answer_file(std::uint32_t slot, FileUse file) {
  Connection& connection = server_->connection(slot);
  const FileVersion version = file->version;
  const http::Response response = http::file_response(
      request_of(connection), {.size = version.size, .mtime_seconds = version.modified_s},
      file->content_type);
  if (response.file_bytes == 0) {
    return begin_text(slot, response);
  }
  connection.state = Connection::State::Answering;
  connection.head = response.head;
  connection.head_written = false;
  connection.closes_after = response.closes;
  connection.version = version;
  if (!begin_splice(connection, response)) {
    connection.transfer = Transfer(response.file_first, response.file_bytes, file->alignment,
                                   static_cast<std::uint32_t>(buffers_.body_size()));
  }
  connection.file = std::move(file);
  pump(slot);
}

void FileServer::redirect(std::uint32_t slot, std::string_view name) {
  const http::Request request = request_of(server_->connection(slot));
  std::array<char, kNameBytes> buffer;
  const std::string_view location = http::folder_location(name, request.query, buffer);
  begin_text(slot, location.empty() ? http::error_response(request, http::Status::UriTooLong)
                                    : http::redirect_response(request, location));
}

void FileServer::answer_error(std::uint32_t slot, http::Status status) {
  begin_text(slot, http::error_response(request_of(server_->connection(slot)), status));
}

void FileServer::refuse(std::uint32_t slot, http::Status status) {
  // What is refused has had its answer: the head that did not end must not get another one.
  server_->set_deadline(slot, 0);
  begin_text(slot, http::final_response(status));
}

void FileServer::begin_text(std::uint32_t slot, const http::Response& response) {
  Connection& connection = server_->connection(slot);
  http_.count(static_cast<unsigned>(response.head.status));
  std::array<char, kTextHeadBytes> head;
  const std::size_t size = http::write_head(response.head, date_.at(std::time(nullptr)), head);
  connection.text.assign(head.data(), size);
  connection.text += response.text;
  connection.text_sent = 0;
  connection.state = Connection::State::Answering;
  connection.head_written = true;
  connection.closes_after = response.closes;
  connection.ending = response.closes;
  connection.transfer = {};
  pump(slot);
}

void FileServer::answer_done(std::uint32_t slot) {
  Connection& connection = server_->connection(slot);
  release_pipe(connection);
  connection.file.reset();
  connection.redone = 0;
  if (connection.text.capacity() > sizeof connection.text) {
    connection.text = {};
  }
  if (connection.closes_after) {
    return server_->finish(slot);
  }
  if (connection.held_head.empty()) {
    connection.input.consume(connection.parser.head_bytes());
  }
  connection.held_head = {};
  connection.parser.reset();
  connection.state = Connection::State::ReadingHead;
  proceed(slot);
}

}  // namespace file_server
