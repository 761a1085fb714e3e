#pragma once
// Replies that go out with one send(): heads, and the files that are small enough to be read behind
// them. One batch serves all connections, since each empties it before the next one has its turn.

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "common/base/check.hpp"

namespace epoll_reference {

class ReplyBatch {
 public:
  explicit ReplyBatch(std::size_t capacity)
      : memory_(std::make_unique_for_overwrite<char[]>(capacity)), capacity_(capacity) {}

  [[nodiscard]] std::span<char> space() { return {memory_.get() + size_, capacity_ - size_}; }
  // So much has been written there.
  void added(std::size_t count) {
    CHECK(count <= capacity_ - size_, "who writes looks for space");
    size_ += count;
  }
  void add(std::string_view text) { added(text.copy(space().data(), space().size())); }
  // Takes back what was added behind the first `size` bytes.
  void cut(std::size_t size) { size_ = size; }

  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::span<const std::byte> contents() const {
    return std::as_bytes(std::span(memory_.get(), size_));
  }

 private:
  std::unique_ptr<char[]> memory_;
  std::size_t capacity_;
  std::size_t size_ = 0;
};

}  // namespace epoll_reference
