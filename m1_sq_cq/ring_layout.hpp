#pragma once
// What lies where in a ring's shared memory, from the offsets that io_uring_setup(2) wrote.

#include <cstdint>
#include <string>
#include <vector>

#include "common/uring/ring.hpp"

namespace m1 {

enum class WrittenBy : std::uint8_t { Us, Kernel, Setup };
[[nodiscard]] const char* to_string(WrittenBy writer);

// A word or an array in the map of the rings.
struct LayoutItem {
  std::uint32_t offset;
  std::uint32_t size;  // bytes
  std::string name;
  std::string holds;  // what is there now
  WrittenBy writer;
};

// What the ring's SQ and CQ consist of, by ascending offset. `in_cq_map` false: the parts reached
// through the map at IORING_OFF_SQ_RING, true: those through the one at IORING_OFF_CQ_RING. A ring
// with a single map has all of them in the first.
[[nodiscard]] std::vector<LayoutItem> ring_layout(const uring::Ring& ring, bool in_cq_map);

}  // namespace m1
