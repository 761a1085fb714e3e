#pragma once
// Waiting for a known number of completions: what most lessons end with.

#include <cstddef>
#include <vector>

#include "common/base/errno.hpp"
#include "common/uring/ring.hpp"

namespace m1 {

// Submits what is prepared, waits until `count` completions have come and returns them in the order
// of their arrival. A lesson must not hang when a kernel does not complete what it should: after ten
// seconds without a completion it is ETIME. Other errors: those of Ring::submit_and_wait(), but never
// EINTR.
[[nodiscard]] base::Result<std::vector<uring::io_uring_cqe>> collect(uring::Ring& ring,
                                                                     std::size_t count);

}  // namespace m1
