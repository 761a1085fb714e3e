// From a request to the head of its answer.

#include <array>
#include <ctime>
#include <utility>

#include "common/http/response_head.hpp"
#include "common/http/target_path.hpp"
#include "docs/epoll_reference/http/http_protocol.hpp"
#include "docs/epoll_reference/server/server.hpp"

namespace epoll_reference {

namespace {

constexpr std::size_t kNameBytes = http::Limits{}.max_target_bytes + 2;

}  // namespace

void HttpProtocol::answer(HttpConnection& connection, const http::Request& request) {
  if (request.keep_alive && connection.server->draining()) {
    http::Request last = request;
    last.keep_alive = false;
    answer(connection, last);
    return;
  }
  if (request.method == http::Method::Other) {
    begin_answer(connection, http::error_response(request, http::Status::MethodNotAllowed));
    return;
  }
  std::array<char, kNameBytes> name;
  const auto path = http::decode_target_path(request.path, name);
  if (path) {
    answer_path(connection, request, *path);
  } else {
    begin_answer(connection, http::error_response(request, path.error()));
  }
}

void HttpProtocol::answer_path(HttpConnection& connection, const http::Request& request,
                               const http::TargetPath& path) {
  FileUse file;
  const Lookup lookup = path.ends_with_slash ? find_index(path.name, file)
                                             : cache_.find(path.name, reactor_.turn_ns(), file);
  if (lookup == Lookup::Folder && !path.ends_with_slash) {
    redirect(connection, request, path.name);
    return;
  }
  if (lookup != Lookup::File) {
    begin_answer(connection, http::error_response(request, http::status_of(lookup)));
    return;
  }
  const FileVersion& version = file->version;
  const http::Response response = http::file_response(
      request, {.size = version.size, .mtime_seconds = version.modified_s}, file->content_type);
  begin_answer(connection, response);
  if (response.file_bytes > 0) {
    connection.body.version = version;
    connection.body.version_at_ns = reactor_.turn_ns();
    connection.body.offset = response.file_first;
    connection.body.left = response.file_bytes;
    connection.body.by_sendfile =
        options_.sendfile && response.file_bytes >= options_.sendfile_from;
    connection.body.file = std::move(file);
  }
}

Lookup HttpProtocol::find_index(std::string_view folder, FileUse& file) {
  std::array<char, kNameBytes + http::kIndexBytes> name;
  return cache_.find(http::index_path(folder, name), reactor_.turn_ns(), file);
}

void HttpProtocol::redirect(HttpConnection& connection, const http::Request& request,
                            std::string_view name) {
  std::array<char, kNameBytes> buffer;
  const std::string_view location = http::folder_location(name, request.query, buffer);
  begin_answer(connection, location.empty()
                               ? http::error_response(request, http::Status::UriTooLong)
                               : http::redirect_response(request, location));
}

void HttpProtocol::begin_answer(HttpConnection& connection, const http::Response& response) {
  counters_.count(std::to_underlying(response.head.status));
  batch_.added(http::write_head(response.head, date_.at(std::time(nullptr)), batch_.space()));
  batch_.add(response.text);
  connection.ending = response.closes;
}

}  // namespace epoll_reference
