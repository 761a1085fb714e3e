// The feature table on this kernel: the kinds of evidence agree with each other, and a mask masks.

#include "tests/kernel/kernel_test.hpp"

namespace {

TEST(Features, OlderEvidenceAgreesWithQuery) {
  NEEDS_FEATURE(Query);
  const uring::Features with_query = kernel_test::features();
  uring::FeatureMask mask;
  mask.set(static_cast<std::size_t>(uring::Feature::Query));
  const auto without_query = uring::Features::detect(mask);
  ASSERT_TRUE(without_query.has_value());
  for (const uring::FeatureInfo& row : uring::feature_table()) {
    if (row.feature != uring::Feature::Query) {
      EXPECT_EQ(with_query.has(row.feature), without_query->has(row.feature)) << row.name;
      EXPECT_NE(without_query->evidence(row.feature), uring::Evidence::Query) << row.name;
    }
  }
}

TEST(Features, AMaskedOneIsAbsent) {
  for (const uring::FeatureInfo& row : uring::feature_table()) {
    const auto mask = uring::parse_feature_mask(row.name);
    ASSERT_TRUE(mask.has_value());
    const auto features = uring::Features::detect(*mask);
    ASSERT_TRUE(features.has_value());
    EXPECT_FALSE(features->has(row.feature)) << row.name;
    EXPECT_EQ(features->evidence(row.feature), uring::Evidence::Masked) << row.name;
  }
}

TEST(Features, WhatIsBuiltOnAMaskedOneGoesWithIt) {
  const auto features = uring::Features::detect(*uring::parse_feature_mask("buffer_ring,ext_arg"));
  ASSERT_TRUE(features.has_value());
  EXPECT_FALSE(features->has(uring::Feature::BufferRingInc));
  EXPECT_FALSE(features->has(uring::Feature::Bundles));
  EXPECT_FALSE(features->has(uring::Feature::MinWait));
}

TEST(Features, EverythingMaskedStillMakesARing) {
  uring::FeatureMask all;
  all.set();
  const auto features = uring::Features::detect(all);
  ASSERT_TRUE(features.has_value());
  auto ring = uring::Ring::create({.sq_entries = 4}, *features);
  ASSERT_TRUE(ring.has_value());
  EXPECT_EQ(ring->setup_flags(), 0U) << "no masked flag may reach the kernel";
  EXPECT_TRUE(ring->register_ring_fd().has_value());
  EXPECT_FALSE(ring->uses_registered_fd());
  const auto cqe = kernel_test::run_one(*ring, [](uring::io_uring_sqe& sqe) {
    uring::prep_nop(sqe);
    sqe.user_data = 7;
  });
  EXPECT_EQ(cqe.user_data, 7U);
}

}  // namespace
