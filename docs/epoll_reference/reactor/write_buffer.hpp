#pragma once
// What one connection has still to send. The socket is tried first and mostly takes everything:
// then nothing is stored, no memory is held and no epoll_ctl is needed. Only what it does not take
// is buffered, and EPOLLOUT is wanted only as long as something waits:
//
//   const auto accepted = output.write(fd, answer);
//   if (!accepted) { close; }
//   reactor.modify(registration, (output.full() ? 0 : EPOLLIN) | (output.waiting() ? EPOLLOUT :
//   0));
//
//   on EPOLLOUT: output.flush(fd), then the same modify() (which costs nothing if nothing changed).
//
// Memory grows from nothing by doubling up to the limit, and is given back when all has been sent:
// ten thousand idle connections hold none.
//
// The errors of both calls are the socket's, and end the connection: EPIPE (it was shut down for
// writing, or reset earlier), ECONNRESET (the peer reset it), ETIMEDOUT (the peer has acknowledged
// nothing for too long), EHOSTUNREACH, ENETUNREACH, ENETDOWN (from the network), ENOBUFS and ENOMEM
// (the kernel has no memory for it). Others (EBADF, ENOTSOCK, ENOTCONN, EFAULT) are bugs of the
// caller. EAGAIN means that the rest waits, EINTR is tried again; neither gets out. EPIPE raises no
// SIGPIPE.

#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "common/base/errno.hpp"

namespace epoll_reference {

class WriteBuffer {
 public:
  static constexpr std::size_t kDefaultLimit = 256 * 1024;

  explicit WriteBuffer(std::size_t limit = kDefaultLimit);
  // What is moved from is empty.
  WriteBuffer(WriteBuffer&& other) noexcept
      : memory_(std::move(other.memory_)),
        capacity_(std::exchange(other.capacity_, 0)),
        begin_(std::exchange(other.begin_, 0)),
        size_(std::exchange(other.size_, 0)),
        limit_(other.limit_) {}
  WriteBuffer& operator=(WriteBuffer&& other) noexcept {
    memory_ = std::move(other.memory_);
    capacity_ = std::exchange(other.capacity_, 0);
    begin_ = std::exchange(other.begin_, 0);
    size_ = std::exchange(other.size_, 0);
    limit_ = other.limit_;
    return *this;
  }
  WriteBuffer(const WriteBuffer&) = delete;
  WriteBuffer& operator=(const WriteBuffer&) = delete;

  // Sends `data` behind what waits already; what the socket does not take now waits. Returns how
  // many bytes were accepted, which is less than all only if the rest does not fit below the limit:
  // the caller keeps that rest, or closes. What is never more than room() is always accepted whole.
  [[nodiscard]] base::Result<std::size_t> write(int fd, std::span<const std::byte> data);

  // The socket is writable: sends what waits. One call of send(): a socket that takes only a part
  // is full, and asking again at once would only tell that.
  [[nodiscard]] base::Result<void> flush(int fd);

  // Drops what waits: the connection is closed, the next one of this slot begins empty.
  void clear();

  // Whether EPOLLOUT is wanted.
  [[nodiscard]] bool waiting() const { return size_ > 0; }
  // At the limit: stop reading what would make more output, or close.
  [[nodiscard]] bool full() const { return size_ >= limit_; }
  // Bytes that wait.
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t room() const { return limit_ - size_; }
  // Bytes of memory held.
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  [[nodiscard]] std::size_t limit() const { return limit_; }

 private:
  [[nodiscard]] std::span<const std::byte> contents() const {
    return {memory_.get() + begin_, size_};
  }
  void append(std::span<const std::byte> data);
  void consume(std::size_t count);
  void make_space(std::size_t count);
  void compact();
  void grow(std::size_t needed);

  std::unique_ptr<std::byte[]> memory_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;  // where the waiting bytes begin
  std::size_t size_ = 0;
  std::size_t limit_;
};

}  // namespace epoll_reference
