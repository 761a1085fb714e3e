#pragma once
// The kernel's side of provided buffers: which it may choose from, by group, in either form.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "common/uring/uapi.hpp"

namespace forged {

struct Buffer {
  std::byte* memory = nullptr;
  std::uint32_t size = 0;
  std::uint16_t id = 0;
};

class ProvidedBuffers {
 public:
  // What the server asks of its kernel.
  void register_ring(const uring::io_uring_buf_reg& request);
  void unregister_ring(const uring::io_uring_buf_reg& request);
  void provide(const uring::io_uring_sqe& sqe);
  [[nodiscard]] std::int32_t remove(const uring::io_uring_sqe& sqe);

  // The one for the next receive of this group. Nothing: -ENOBUFS.
  [[nodiscard]] std::optional<Buffer> choose(std::uint16_t group);
  // Those to choose from, the next one first.
  [[nodiscard]] std::vector<Buffer> available(std::uint16_t group) const;
  // Of all groups.
  [[nodiscard]] std::size_t count() const;

 private:
  struct Group {
    uring::io_uring_buf_ring* ring = nullptr;  // null: the older form
    std::uint32_t entries = 0;
    std::uint16_t head = 0;
    std::deque<Buffer> provided = {};  // the older form
  };

  std::map<std::uint16_t, Group> groups_;
};

}  // namespace forged
