#include "m2_file_server/bench/serve_blocking_worker.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>

#include "common/http/content_type.hpp"
#include "common/http/limits.hpp"
#include "common/http/response_head.hpp"
#include "common/http/target_path.hpp"

namespace file_server::serve_bench {
namespace {

constexpr http::Limits kLimits;
constexpr std::size_t kChunkBytes = 64 << 10;  // as large as a buffer of the ring server

// The kernel refuses a name that would leave the folder.
base::UniqueFd open_beneath(int root, const char* name) {
  open_how how{};
  how.flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return base::UniqueFd(static_cast<int>(::syscall(SYS_openat2, root, name, &how, sizeof how)));
}

// A blocking send() takes everything, unless something goes wrong in the middle.
bool send_all(int socket, std::span<const char> bytes) {
  return ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(bytes.size());
}

}  // namespace

BlockingWorker::BlockingWorker(int root)
    : root_(root),
      input_(kLimits.max_head_bytes),
      parser_(kLimits),
      output_(http::kMaxHeadBytes + kChunkBytes) {}

void BlockingWorker::serve(int socket, AfterAnswer after_answer) {
  received_ = 0;
  bool goes_on = true;
  while (goes_on && receive_request(socket)) {
    http::Request request = parser_.request();
    if (after_answer == AfterAnswer::Close || request.has_body()) {
      request.keep_alive = false;  // bodies are not read here, so nothing can follow one
    }
    base::UniqueFd file;
    const http::Response response = find_file(request, file);
    goes_on = send_answer(socket, response, file.get()) && !response.closes;
    // What has come behind this request is the begin of the next one.
    received_ -= parser_.head_bytes();
    std::memmove(input_.data(), input_.data() + parser_.head_bytes(), received_);
  }
}

bool BlockingWorker::receive_request(int socket) {
  parser_.reset();
  while (true) {
    switch (parser_.parse({input_.data(), received_})) {
      case http::ParseState::Complete:
        return true;
      case http::ParseState::Error:
        (void)send_answer(socket, http::final_response(parser_.error()), -1);
        return false;
      case http::ParseState::Incomplete:
        break;
    }
    const ssize_t size = ::recv(socket, input_.data() + received_, input_.size() - received_, 0);
    if (size <= 0) {
      return false;  // the client has closed, or the connection is broken
    }
    received_ += static_cast<std::size_t>(size);
  }
}

http::Response BlockingWorker::find_file(const http::Request& request, base::UniqueFd& file) const {
  if (request.method == http::Method::Other) {
    return http::error_response(request, http::Status::MethodNotAllowed);
  }
  std::array<char, kLimits.max_target_bytes + 2> buffer;
  const auto path = http::decode_target_path(request.path, buffer);
  if (!path) {
    return http::error_response(request, path.error());
  }
  file = open_beneath(root_, path->name.data());
  struct stat status {};
  if (path->ends_with_slash || !file.valid() || ::fstat(file.get(), &status) != 0 ||
      !S_ISREG(status.st_mode)) {
    return http::error_response(request, http::Status::NotFound);
  }
  return http::file_response(
      request,
      {.size = static_cast<std::uint64_t>(status.st_size), .mtime_seconds = status.st_mtim.tv_sec},
      http::content_type(path->name));
}

// The head goes out together with the first bytes of the file.
bool BlockingWorker::send_answer(int socket, const http::Response& response, int file) {
  std::size_t filled = http::write_head(response.head, date_.at(std::time(nullptr)), output_);
  filled += response.text.copy(output_.data() + filled, response.text.size());
  std::uint64_t offset = response.file_first;
  std::uint64_t left = response.file_bytes;
  while (true) {
    if (left > 0) {
      const std::size_t wanted = std::min<std::uint64_t>(left, output_.size() - filled);
      const ssize_t size =
          ::pread(file, output_.data() + filled, wanted, static_cast<off_t>(offset));
      if (size <= 0) {
        return false;  // shorter than the head has said: only closing is true now
      }
      filled += static_cast<std::size_t>(size);
      offset += static_cast<std::uint64_t>(size);
      left -= static_cast<std::uint64_t>(size);
    }
    if (!send_all(socket, {output_.data(), filled})) {
      return false;
    }
    if (left == 0) {
      return true;
    }
    filled = 0;
  }
}

}  // namespace file_server::serve_bench
