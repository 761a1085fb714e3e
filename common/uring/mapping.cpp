#include "common/uring/mapping.hpp"

#include <algorithm>

namespace uring {

base::Result<RingMapping> RingMapping::create(int ring_fd, const io_uring_params& params,
                                              bool single_mmap) {
  const bool has_array = (params.flags & IORING_SETUP_NO_SQARRAY) == 0;
  const io_sqring_offsets& sq = params.sq_off;
  const io_cqring_offsets& cq = params.cq_off;

  // [snippet: ring_map_sizes]
  // The offsets count from the start of the ring's map; the last thing in each ring is an array,
  // so its end is the ring's size. KERNEL(6.6): NO_SQARRAY leaves sq_off.array 0, and the SQ ring
  // then is only the words in front of the CQEs.
  const std::size_t cq_size = cq.cqes + params.cq_entries * sizeof(io_uring_cqe);
  const std::size_t sq_size =
      has_array ? sq.array + params.sq_entries * sizeof(std::uint32_t) : std::size_t{cq.cqes};

  RingMapping mapping;
  auto sq_ring = MappedRegion::of_ring(ring_fd, single_mmap ? std::max(sq_size, cq_size) : sq_size,
                                       IORING_OFF_SQ_RING);
  // [/snippet]
  if (!sq_ring) {
    return base::fail(sq_ring.error());
  }
  mapping.sq_ring_ = std::move(*sq_ring);
  if (!single_mmap) {
    auto cq_ring = MappedRegion::of_ring(ring_fd, cq_size, IORING_OFF_CQ_RING);
    if (!cq_ring) {
      return base::fail(cq_ring.error());
    }
    mapping.cq_ring_ = std::move(*cq_ring);
  }
  auto sqes =
      MappedRegion::of_ring(ring_fd, params.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES);
  if (!sqes) {
    return base::fail(sqes.error());
  }
  mapping.sqes_ = std::move(*sqes);

  const MappedRegion& of_sq = mapping.sq_ring_;
  mapping.sq_ = {.head = of_sq.at<std::uint32_t>(sq.head),
                 .tail = of_sq.at<std::uint32_t>(sq.tail),
                 .flags = of_sq.at<std::uint32_t>(sq.flags),
                 .dropped = of_sq.at<std::uint32_t>(sq.dropped),
                 .array = has_array ? of_sq.at<std::uint32_t>(sq.array) : nullptr,
                 .sqes = mapping.sqes_.at<io_uring_sqe>(0),
                 .entries = params.sq_entries};
  const MappedRegion& of_cq = single_mmap ? mapping.sq_ring_ : mapping.cq_ring_;
  mapping.cq_ = {.head = of_cq.at<std::uint32_t>(cq.head),
                 .tail = of_cq.at<std::uint32_t>(cq.tail),
                 .overflow = of_cq.at<std::uint32_t>(cq.overflow),
                 .cqes = of_cq.at<io_uring_cqe>(cq.cqes),
                 .entries = params.cq_entries};
  return mapping;
}

}  // namespace uring
