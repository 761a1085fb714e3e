// One mapping or two: the same memory either way. And what NO_SQARRAY leaves out.

#include "common/uring/mapping.hpp"

#include "tests/kernel/kernel_test.hpp"

namespace {

uring::Features features_without(uring::Feature feature) {
  uring::FeatureMask mask;
  mask.set(static_cast<std::size_t>(feature));
  const auto features = uring::Features::detect(mask);
  CHECK(features.has_value());
  return *features;
}

void run_three_nops(uring::Ring& ring) {
  for (std::uint64_t i = 1; i <= 3; ++i) {
    uring::io_uring_sqe* sqe = ring.next_sqe();
    uring::prep_nop(*sqe);
    sqe->user_data = i;
  }
  const auto cqes = kernel_test::collect(ring, 3);
  for (std::uint64_t i = 1; i <= 3; ++i) {
    EXPECT_EQ(cqes[i - 1].user_data, i);
  }
}

TEST(Mapping, TheOlderFormOfTwoMapsWorks) {
  uring::Ring ring =
      *uring::Ring::create({.sq_entries = 4}, features_without(uring::Feature::SingleMmap));
  EXPECT_TRUE(ring.mapping().cq_ring().mapped());
  EXPECT_NE(ring.mapping().cq_ring().data(), ring.mapping().sq_ring().data());
  run_three_nops(ring);
}

TEST(Mapping, BothFormsShowTheSameWords) {
  NEEDS_FEATURE(SingleMmap);
  uring::Ring ring = kernel_test::make_ring({.sq_entries = 4});
  EXPECT_FALSE(ring.mapping().cq_ring().mapped());
  const auto second = uring::RingMapping::create(ring.fd(), ring.params(), false);
  ASSERT_TRUE(second.has_value());
  run_three_nops(ring);
  EXPECT_EQ(*second->cq_pointers().head, 3U) << "what we stored through the first map";
  EXPECT_EQ(*second->cq_pointers().tail, 3U);
  EXPECT_EQ(*second->sq_pointers().tail, 3U);
}

TEST(Mapping, NoSqarrayNeedsNoArray) {
  NEEDS_FEATURE(NoSqarray);
  uring::Ring ring = kernel_test::make_ring({.sq_entries = 4});
  EXPECT_NE(ring.setup_flags() & uring::IORING_SETUP_NO_SQARRAY, 0U);
  EXPECT_EQ(ring.mapping().sq_pointers().array, nullptr);
  run_three_nops(ring);
}

TEST(Mapping, WithTheArraySlotsMapToThemselves) {
  uring::Ring ring =
      *uring::Ring::create({.sq_entries = 4}, features_without(uring::Feature::NoSqarray));
  ASSERT_NE(ring.mapping().sq_pointers().array, nullptr);
  run_three_nops(ring);
  run_three_nops(ring);
  EXPECT_EQ(ring.sq().dropped(), 0U);
}

}  // namespace
