#include "m1_sq_cq/feature_masks.hpp"

namespace m1 {

base::Result<uring::Features> without(const uring::Features& features, uring::Feature removed) {
  uring::FeatureMask mask;
  for (const uring::FeatureInfo& row : uring::feature_table()) {
    if (row.feature == removed || !features.has(row.feature)) {
      mask.set(static_cast<std::size_t>(row.feature));
    }
  }
  return uring::Features::detect(mask);
}

}  // namespace m1
