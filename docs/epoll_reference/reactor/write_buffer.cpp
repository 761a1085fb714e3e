#include "docs/epoll_reference/reactor/write_buffer.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "common/base/check.hpp"

namespace epoll_reference {
namespace {

constexpr std::size_t kFirstCapacity = 4096;

// How many bytes the socket has taken: 0 if it is full.
base::Result<std::size_t> send_some(int fd, std::span<const std::byte> data) {
  while (true) {
    const ssize_t sent = ::send(fd, data.data(), data.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      return static_cast<std::size_t>(sent);
    }
    const base::Errno error = base::last_error();
    if (error.value == EAGAIN) {
      return 0;
    }
    if (error.value != EINTR) {
      return base::fail(error);
    }
  }
}

}  // namespace

WriteBuffer::WriteBuffer(std::size_t limit) : limit_(limit) {
  CHECK(limit > 0, "without a place for the rest, a socket that is full could not be waited for");
}

// [snippet: write_first]
base::Result<std::size_t> WriteBuffer::write(int fd, std::span<const std::byte> data) {
  std::size_t sent = 0;
  if (!waiting() && !data.empty()) {
    const auto taken = send_some(fd, data);
    if (!taken) {
      return taken;
    }
    sent = *taken;
  }
  const std::size_t buffered = std::min(data.size() - sent, room());
  append(data.subspan(sent, buffered));
  return sent + buffered;
}
// [/snippet]

base::Result<void> WriteBuffer::flush(int fd) {
  if (!waiting()) {
    return {};
  }
  const auto sent = send_some(fd, contents());
  if (!sent) {
    return base::fail(sent.error());
  }
  consume(*sent);
  return {};
}

void WriteBuffer::append(std::span<const std::byte> data) {
  if (data.empty()) {
    return;
  }
  make_space(data.size());
  std::memcpy(memory_.get() + begin_ + size_, data.data(), data.size());
  size_ += data.size();
}

void WriteBuffer::consume(std::size_t count) {
  CHECK(count <= size_);
  begin_ += count;
  size_ -= count;
  if (size_ == 0) {
    clear();
  }
}

// Space for `count` bytes behind those that wait, which the limit allows.
void WriteBuffer::make_space(std::size_t count) {
  if (begin_ + size_ + count <= capacity_) {
    return;
  }
  // Moving the bytes to the front is worth it if they fill at most half: then at least as many can
  // come before the next move as were moved. Else growing is better, which moves them, too.
  const bool fits = size_ + count <= capacity_;
  if (fits && (size_ <= capacity_ / 2 || capacity_ == limit_)) {
    compact();
  } else {
    grow(size_ + count);
  }
}

void WriteBuffer::compact() {
  std::memmove(memory_.get(), memory_.get() + begin_, size_);
  begin_ = 0;
}

void WriteBuffer::grow(std::size_t needed) {
  const std::size_t doubled = std::max({std::bit_ceil(needed), 2 * capacity_, kFirstCapacity});
  const std::size_t capacity = std::min(doubled, limit_);
  auto memory = std::make_unique_for_overwrite<std::byte[]>(capacity);
  if (size_ > 0) {
    std::memcpy(memory.get(), memory_.get() + begin_, size_);
  }
  memory_ = std::move(memory);
  capacity_ = capacity;
  begin_ = 0;
}

void WriteBuffer::clear() {
  memory_.reset();
  capacity_ = 0;
  begin_ = 0;
  size_ = 0;
}

}  // namespace epoll_reference
