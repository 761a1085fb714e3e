#include "m1_sq_cq/ring_layout.hpp"

#include <algorithm>
#include <atomic>

#include "m1_sq_cq/bit_names.hpp"
#include "m1_sq_cq/text.hpp"

namespace m1 {

namespace {

std::uint32_t load_word(const uring::MappedRegion& map, std::uint32_t offset) {
  return std::atomic_ref(*map.at<std::uint32_t>(offset)).load(std::memory_order_acquire);
}

LayoutItem word(const uring::MappedRegion& map, std::uint32_t offset, const char* name,
                WrittenBy writer) {
  return {.offset = offset,
          .size = sizeof(std::uint32_t),
          .name = name,
          .holds = std::to_string(load_word(map, offset)),
          .writer = writer};
}

void add_sq(std::vector<LayoutItem>& items, const uring::Ring& ring) {
  const uring::MappedRegion& map = ring.mapping().sq_ring();
  const uring::io_sqring_offsets& at = ring.params().sq_off;
  items.push_back(word(map, at.head, "sq head", WrittenBy::Kernel));
  items.push_back(word(map, at.tail, "sq tail", WrittenBy::Us));
  items.push_back(word(map, at.ring_mask, "sq ring_mask", WrittenBy::Setup));
  items.push_back(word(map, at.ring_entries, "sq ring_entries", WrittenBy::Setup));
  items.push_back(word(map, at.dropped, "sq dropped", WrittenBy::Kernel));
  LayoutItem flags = word(map, at.flags, "sq flags", WrittenBy::Kernel);
  flags.holds = sq_flag_names(load_word(map, at.flags));
  items.push_back(flags);
  if ((ring.setup_flags() & uring::IORING_SETUP_NO_SQARRAY) == 0) {
    const std::uint32_t entries = ring.params().sq_entries;
    items.push_back({.offset = at.array,
                     .size = entries * static_cast<std::uint32_t>(sizeof(std::uint32_t)),
                     .name = "sq array",
                     .holds = text("%u indices of 4 bytes", entries),
                     .writer = WrittenBy::Us});
  }
}

void add_cq(std::vector<LayoutItem>& items, const uring::Ring& ring,
            const uring::MappedRegion& map) {
  const uring::io_cqring_offsets& at = ring.params().cq_off;
  items.push_back(word(map, at.head, "cq head", WrittenBy::Us));
  items.push_back(word(map, at.tail, "cq tail", WrittenBy::Kernel));
  items.push_back(word(map, at.ring_mask, "cq ring_mask", WrittenBy::Setup));
  items.push_back(word(map, at.ring_entries, "cq ring_entries", WrittenBy::Setup));
  items.push_back(word(map, at.overflow, "cq overflow", WrittenBy::Kernel));
  items.push_back(word(map, at.flags, "cq flags", WrittenBy::Us));
  const std::uint32_t entries = ring.params().cq_entries;
  const auto cqe_size = static_cast<std::uint32_t>(sizeof(uring::io_uring_cqe));
  items.push_back({.offset = at.cqes,
                   .size = entries * cqe_size,
                   .name = "cqes",
                   .holds = text("%u CQEs of %u bytes", entries, cqe_size),
                   .writer = WrittenBy::Kernel});
}

}  // namespace

const char* to_string(WrittenBy writer) {
  switch (writer) {
    case WrittenBy::Us:
      return "us";
    case WrittenBy::Kernel:
      return "the kernel";
    case WrittenBy::Setup:
      return "setup, once";
  }
  return "?";
}

std::vector<LayoutItem> ring_layout(const uring::Ring& ring, bool in_cq_map) {
  const bool has_cq_map = ring.mapping().cq_ring().mapped();
  std::vector<LayoutItem> items;
  if (!in_cq_map) {
    add_sq(items, ring);
  }
  if (in_cq_map == has_cq_map) {
    add_cq(items, ring, has_cq_map ? ring.mapping().cq_ring() : ring.mapping().sq_ring());
  }
  std::ranges::sort(items, {}, &LayoutItem::offset);
  return items;
}

}  // namespace m1
