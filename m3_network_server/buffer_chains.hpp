#pragma once
// Which received buffers wait to be sent to which connection, and in which order. A buffer is
// received by one connection and sent by the same one, so it is in one chain at most: all the links
// of all the chains are one array, by buffer id, and a connection keeps the two ends of its own.
//
//   chain.first -> [id 7 | 4096 bytes] -> [id 2 | 4096 bytes] -> [id 9 | 100 bytes] <- chain.last
//                   ^ chain.sent of them are sent
//
// Numbers only: the memory is in uring::ProvidedBuffers. No allocation after the constructor.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/base/check.hpp"

namespace network_server {

inline constexpr std::uint16_t kNoBuffer = 0xffff;

struct BufferChain {
  std::uint32_t sent = 0;  // of the first buffer's bytes
  std::uint16_t first = kNoBuffer;
  std::uint16_t last = kNoBuffer;
  std::uint16_t count = 0;

  [[nodiscard]] bool empty() const { return count == 0; }
};

class BufferChains {
 public:
  // For the buffers 0 to `buffers` - 1.
  explicit BufferChains(std::uint32_t buffers) : links_(buffers) {
    CHECK(buffers < kNoBuffer, "kNoBuffer is no buffer");
  }

  // This many bytes have been received into a buffer that is in no chain.
  void push_back(BufferChain& chain, std::uint16_t id, std::uint32_t bytes) {
    CHECK(bytes > 0 && links_[id].bytes == 0, "a buffer with bytes, and in one chain at a time");
    links_[id] = {.bytes = bytes, .next = kNoBuffer};
    (chain.empty() ? chain.first : links_[chain.last].next) = id;
    chain.last = id;
    ++chain.count;
  }

  // f(id, offset, bytes) for the first `count` buffers, in order: what of each is unsent.
  template <class F>
  void for_each(const BufferChain& chain, std::uint16_t count, F&& f) const {
    CHECK(count <= chain.count);
    std::uint16_t id = chain.first;
    std::uint32_t offset = chain.sent;
    for (std::uint16_t i = 0; i < count; ++i) {
      f(id, offset, links_[id].bytes - offset);
      id = links_[id].next;
      offset = 0;
    }
  }

  // How many bytes are unsent in the first `count` buffers.
  [[nodiscard]] std::size_t unsent_bytes(const BufferChain& chain, std::uint16_t count) const {
    std::size_t bytes = 0;
    for_each(chain, count,
             [&bytes](std::uint16_t, std::uint32_t, std::uint32_t unsent) { bytes += unsent; });
    return bytes;
  }

  // The next `bytes` of the chain have been sent. Calls emptied(id) for each buffer of which that
  // was the rest: it is in no chain any more.
  template <class F>
  void consume(BufferChain& chain, std::size_t bytes, F&& emptied) {
    while (bytes > 0) {
      CHECK(!chain.empty(), "no more is sent than there was");
      const std::uint32_t unsent = links_[chain.first].bytes - chain.sent;
      if (bytes < unsent) {
        chain.sent += static_cast<std::uint32_t>(bytes);
        return;
      }
      bytes -= unsent;
      emptied(pop_front(chain));
    }
  }

  // Takes the first buffer out, sent or not.
  std::uint16_t pop_front(BufferChain& chain) {
    CHECK(!chain.empty());
    const std::uint16_t id = chain.first;
    chain.first = links_[id].next;
    chain.sent = 0;
    links_[id] = {};
    if (--chain.count == 0) {
      chain.last = kNoBuffer;
    }
    return id;
  }

 private:
  struct Link {
    std::uint32_t bytes = 0;  // 0: in no chain
    std::uint16_t next = kNoBuffer;
  };

  std::vector<Link> links_;  // by buffer id
};

}  // namespace network_server
