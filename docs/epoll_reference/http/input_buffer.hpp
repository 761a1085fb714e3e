#pragma once
// What one connection has received and not used yet: the beginning of a head, or requests that wait
// because the client is behind with reading. Mostly nothing: a request that arrives whole is used up
// where it was received, in a buffer that all connections share, and this one holds no memory.

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "common/base/check.hpp"

namespace epoll_reference {

class InputBuffer {
 public:
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::string_view contents() const { return {memory_.get(), size_}; }

  // Where to receive to, behind the contents. Only while there are any.
  [[nodiscard]] std::span<char> space() { return {memory_.get() + size_, capacity_ - size_}; }
  // That many bytes have been received there.
  void received(std::size_t count) { size_ += count; }

  // `rest` is what is left, from anywhere: of the contents, or of the shared buffer. `capacity` is
  // what a connection may hold.
  void keep(std::string_view rest, std::size_t capacity) {
    if (rest.empty()) {
      memory_.reset();
    } else if (memory_ == nullptr) {
      CHECK(rest.size() < capacity, "what is received at a time is less than may be held");
      memory_ = std::make_unique_for_overwrite<char[]>(capacity);
      capacity_ = capacity;
    }
    if (!rest.empty() && rest.data() != memory_.get()) {
      std::memmove(memory_.get(), rest.data(), rest.size());
    }
    size_ = rest.size();
  }

 private:
  std::unique_ptr<char[]> memory_;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
};

}  // namespace epoll_reference
