#pragma once
// The connections, each under the number of its slot. In chunks, which are allocated when a slot of
// theirs is first used and never freed: an address is good as long as the server is, as the kernel
// needs it, and after the busiest moment so far accepting allocates nothing.

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace server {

template <class T>
class ConnectionChunks {
 public:
  explicit ConnectionChunks(std::uint32_t slots) { chunks_.resize((slots + kChunk - 1) / kChunk); }

  // A T that was made just now, in the place of the slot's last one.
  T& make(std::uint32_t slot) {
    std::unique_ptr<Chunk>& chunk = chunks_[slot / kChunk];
    if (chunk == nullptr) {
      chunk = std::make_unique<Chunk>();
    }
    T& place = (*chunk)[slot % kChunk];
    std::destroy_at(&place);
    return *std::construct_at(&place);
  }

  // Of a slot that has had a connection.
  [[nodiscard]] T& at(std::uint32_t slot) { return (*chunks_[slot / kChunk])[slot % kChunk]; }
  [[nodiscard]] const T& at(std::uint32_t slot) const {
    return (*chunks_[slot / kChunk])[slot % kChunk];
  }

 private:
  static constexpr std::uint32_t kChunk = 256;
  using Chunk = std::array<T, kChunk>;

  std::vector<std::unique_ptr<Chunk>> chunks_;
};

}  // namespace server
