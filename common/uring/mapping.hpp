#pragma once
// A ring's shared memory, mapped by hand from what io_uring_setup(2) wrote into the params.
//
// Three things are shared: the SQ ring (indices, flags, the array), the CQ ring (indices and the
// CQEs) and the SQEs. Since Linux 5.4 (IORING_FEAT_SINGLE_MMAP) the two rings lie in one piece of
// memory and one mmap shows both; before, and still today for who asks, each has a map of its own.

#include <cstdint>

#include "common/base/errno.hpp"
#include "common/uring/completion_queue.hpp"
#include "common/uring/mapped_region.hpp"
#include "common/uring/submission_queue.hpp"
#include "common/uring/uapi.hpp"

namespace uring {

class RingMapping {
 public:
  // Maps the rings of `ring_fd`. `params` is what io_uring_setup wrote; with `single_mmap` false
  // the two rings are mapped apart even where the kernel could do it in one. ENOMEM, EAGAIN.
  [[nodiscard]] static base::Result<RingMapping> create(int ring_fd, const io_uring_params& params,
                                                        bool single_mmap);

  // Where the words lie. Valid as long as this object lives; moving it does not move them.
  [[nodiscard]] SqPointers sq_pointers() const { return sq_; }
  [[nodiscard]] CqPointers cq_pointers() const { return cq_; }

  // The maps themselves, for the lesson that shows them. `cq_ring` is empty in the single form.
  [[nodiscard]] const MappedRegion& sq_ring() const { return sq_ring_; }
  [[nodiscard]] const MappedRegion& cq_ring() const { return cq_ring_; }
  [[nodiscard]] const MappedRegion& sqes() const { return sqes_; }

 private:
  RingMapping() = default;

  MappedRegion sq_ring_;
  MappedRegion cq_ring_;
  MappedRegion sqes_;
  SqPointers sq_;
  CqPointers cq_;
};

}  // namespace uring
