#pragma once
// What waits for a client that does not read, when it had to leave the shared buffers: a copy, in one
// block of just that size.

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <utility>

#include "common/base/check.hpp"

namespace network_server {

class Spill {
 public:
  // An empty one with room for so many bytes. Null if there is no memory.
  [[nodiscard]] static std::unique_ptr<Spill> make(std::size_t capacity) {
    std::unique_ptr<std::byte[]> memory(new (std::nothrow) std::byte[capacity]);
    return memory == nullptr
               ? nullptr
               : std::unique_ptr<Spill>(new (std::nothrow) Spill(std::move(memory), capacity));
  }

  void append(std::span<const std::byte> bytes) {
    CHECK(bytes.size() <= capacity_ - size_);
    std::ranges::copy(bytes, memory_.get() + size_);
    size_ += bytes.size();
  }

  // What is not sent. It stays where it is.
  [[nodiscard]] std::span<const std::byte> rest() const {
    return {memory_.get() + sent_, size_ - sent_};
  }

  void consume(std::size_t sent) {
    CHECK(sent <= size_ - sent_, "no more is sent than there was");
    sent_ += sent;
  }

 private:
  Spill(std::unique_ptr<std::byte[]> memory, std::size_t capacity)
      : memory_(std::move(memory)), capacity_(capacity) {}

  std::unique_ptr<std::byte[]> memory_;
  std::size_t capacity_;
  std::size_t size_ = 0;
  std::size_t sent_ = 0;
};

}  // namespace network_server
