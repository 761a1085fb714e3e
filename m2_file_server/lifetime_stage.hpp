#pragma once
// What every step of `lifetime` works with: a ring, a few buffers in memory that lives as long as the
// program, a connection over loopback and files in memory.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/base/check.hpp"
#include "common/base/unique_fd.hpp"
#include "common/uring/ring.hpp"
#include "m2_file_server/lifetime_story.hpp"

namespace file_server {

class Stage {
 public:
  Stage(Story& story, uring::Ring ring) : story_(story), ring_(std::move(ring)) {}

  [[nodiscard]] Story& story() { return story_; }
  [[nodiscard]] uring::Ring& ring() { return ring_; }

  static constexpr std::size_t kSlotBytes = 4096;
  // Buffer `index`, 0 or 1. They outlive the ring and its requests, whatever a step does.
  [[nodiscard]] static std::span<std::byte> slot(std::size_t index);

  // Fills an SQE without submitting it.
  template <class Prepare>
  void prepare(std::uint64_t user_data, Prepare fill) {
    uring::io_uring_sqe* sqe = ring_.next_sqe();
    CHECK(sqe != nullptr, "a few requests at a time");
    fill(*sqe);
    sqe->user_data = user_data;
  }
  // Submits what is prepared. False: it failed, which has been said then.
  [[nodiscard]] bool submit();
  template <class Prepare>
  [[nodiscard]] bool start(std::uint64_t user_data, Prepare fill) {
    prepare(user_data, fill);
    return submit();
  }
  // Waits for the next completion, for some seconds at most. None: it failed, which has been said.
  [[nodiscard]] std::optional<uring::io_uring_cqe> next_completion();
  // start() and next_completion().
  template <class Prepare>
  [[nodiscard]] std::optional<uring::io_uring_cqe> run(std::uint64_t user_data, Prepare fill) {
    return start(user_data, fill) ? next_completion() : std::nullopt;
  }
  // No completion is there.
  [[nodiscard]] bool is_quiet();

 private:
  Story& story_;
  uring::Ring ring_;
};

// Both ends of a TCP connection over loopback.
struct Connection {
  base::UniqueFd server;
  base::UniqueFd client;
};
// Small buffers: a few tens of KiB fill the connection. None: it failed, which has been said.
[[nodiscard]] std::optional<Connection> connect_pair(Story& story);

// A file in memory. None: it failed, which has been said.
[[nodiscard]] std::optional<base::UniqueFd> make_file(Story& story, std::string_view content);

[[nodiscard]] std::span<const std::byte> as_bytes(std::string_view text);
// The text at the beginning of a buffer, up to the first zero byte.
[[nodiscard]] std::string text_in(std::span<const std::byte> buffer);
// Puts `text` at the beginning of a buffer, and zeros behind it.
void put_text(std::span<std::byte> buffer, std::string_view text);

// The client's side, with plain system calls. send_text() is false, and receive_text() empty, when it
// failed, which has been said. receive_text() does not wait: over loopback what was sent is there.
[[nodiscard]] bool send_text(Story& story, int fd, std::string_view text);
[[nodiscard]] std::string receive_text(Story& story, int fd);

}  // namespace file_server
