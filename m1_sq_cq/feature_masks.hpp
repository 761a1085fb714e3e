#pragma once
// Rings as an older kernel would have them, to compare with.

#include "common/base/errno.hpp"
#include "common/uring/features.hpp"

namespace m1 {

// What this kernel would be without one more feature. What is absent already stays masked, so that
// it does not come back. Fails as io_uring_setup does.
[[nodiscard]] base::Result<uring::Features> without(const uring::Features& features,
                                                    uring::Feature removed);

}  // namespace m1
