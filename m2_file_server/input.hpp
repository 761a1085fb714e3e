#pragma once
// What one connection has received and not used yet. A receive is always under way on an idle
// connection, and the kernel must know beforehand where to put the bytes: so every connection has
// memory of its own for that, however long it says nothing. A kilobyte holds the heads that clients
// really send; only a larger one, or a body, makes it grow, and only for as long as it is there.

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "common/base/check.hpp"

namespace file_server {

class Input {
 public:
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::string_view contents() const { return {data(), size_}; }

  // Where to receive to, behind the contents. Nothing below may be called while that is under way.
  [[nodiscard]] std::span<std::byte> space() {
    return std::as_writable_bytes(std::span(data() + size_, capacity_ - size_));
  }
  void received(std::size_t bytes) {
    CHECK(bytes <= capacity_ - size_);
    size_ += bytes;
  }

  [[nodiscard]] bool full() const { return size_ == capacity_; }
  // Room for `capacity` bytes. Moves the contents.
  void grow(std::size_t capacity) {
    if (capacity <= capacity_) {
      return;
    }
    auto larger = std::make_unique_for_overwrite<char[]>(capacity);
    std::memcpy(larger.get(), data(), size_);
    large_ = std::move(larger);
    capacity_ = capacity;
  }

  // Empty, and without grown memory.
  void clear() {
    large_.reset();
    capacity_ = small_.size();
    size_ = 0;
  }

  // The first `bytes` are used up. Moves the rest, and gives grown memory back if it can.
  void consume(std::size_t bytes) {
    CHECK(bytes <= size_);
    size_ -= bytes;
    if (large_ != nullptr && size_ <= small_.size()) {
      std::memcpy(small_.data(), large_.get() + bytes, size_);
      large_.reset();
      capacity_ = small_.size();
    } else if (bytes > 0 && size_ > 0) {
      std::memmove(data(), data() + bytes, size_);
    }
  }

 private:
  [[nodiscard]] char* data() { return large_ != nullptr ? large_.get() : small_.data(); }
  [[nodiscard]] const char* data() const {
    return large_ != nullptr ? large_.get() : small_.data();
  }

  std::unique_ptr<char[]> large_;
  std::size_t capacity_ = 1024;
  std::size_t size_ = 0;
  std::array<char, 1024> small_;
};

}  // namespace file_server
