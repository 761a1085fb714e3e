#pragma once
// Connections in chunks: what was allocated once is used again, so that after the busiest moment so
// far accepting allocates nothing. Addresses are stable, as callbacks need it. Never shrinks.

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace epoll_reference {

template <class T>
class ConnectionPool {
 public:
  ConnectionPool() = default;
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  // A T that was made of `arguments` just now.
  template <class... Arguments>
  [[nodiscard]] T& make(Arguments&&... arguments) {
    if (free_.empty()) {
      add_chunk();
    }
    T* const object = free_.back();
    free_.pop_back();
    std::destroy_at(object);
    return *std::construct_at(object, std::forward<Arguments>(arguments)...);
  }

  // `object` is from make(), and is not used any more. What it owns is released at once: a free
  // place holds a T as the default constructor makes it, so that the pool can go at any time.
  void recycle(T& object) {
    std::destroy_at(&object);
    free_.push_back(std::construct_at(&object));  // allocates nothing: add_chunk() made room
  }

 private:
  static constexpr std::size_t kChunk = 256;

  void add_chunk() {
    chunks_.push_back(std::make_unique<T[]>(kChunk));
    free_.reserve(chunks_.size() * kChunk);
    for (std::size_t i = kChunk; i-- > 0;) {
      free_.push_back(&chunks_.back()[i]);
    }
  }

  std::vector<std::unique_ptr<T[]>> chunks_;
  std::vector<T*> free_;  // the one used last is on top: its memory is warm
};

}  // namespace epoll_reference
