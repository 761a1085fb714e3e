// The feature table, and URING_DISABLE's text. What a kernel answers is in tests/kernel.

#include <cstddef>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "common/uring/features.hpp"

namespace {

using uring::Feature;
using uring::FeatureMask;
using uring::parse_feature_mask;

FeatureMask mask_of(std::initializer_list<Feature> features) {
  FeatureMask mask;
  for (const Feature feature : features) {
    mask.set(static_cast<std::size_t>(feature));
  }
  return mask;
}

TEST(FeatureMask, NamesBecomeBits) {
  EXPECT_EQ(parse_feature_mask("ext_arg"), mask_of({Feature::ExtArg}));
  EXPECT_EQ(parse_feature_mask("multishot_accept,buffer_ring,query"),
            mask_of({Feature::MultishotAccept, Feature::BufferRing, Feature::Query}));
  EXPECT_EQ(parse_feature_mask("query,query"), mask_of({Feature::Query}));
}

TEST(FeatureMask, EmptyTextAndEmptyPartsMaskNothing) {
  EXPECT_EQ(parse_feature_mask(""), FeatureMask());
  EXPECT_EQ(parse_feature_mask(","), FeatureMask());
  EXPECT_EQ(parse_feature_mask(",ext_arg,,"), mask_of({Feature::ExtArg}));
}

TEST(FeatureMask, EveryNameOfTheTableIsKnown) {
  std::string all;
  for (const uring::FeatureInfo& row : uring::feature_table()) {
    EXPECT_EQ(parse_feature_mask(row.name), mask_of({row.feature})) << row.name;
    all += std::string(row.name) + ',';
  }
  const auto mask = parse_feature_mask(all);
  ASSERT_TRUE(mask.has_value());
  EXPECT_TRUE(mask->all());
}

TEST(FeatureMask, AnUnknownNameIsAnErrorThatNamesItAndTheNearest) {
  struct Row {
    const char* text;
    const char* unknown;
    const char* nearest;
  };
  for (const Row& row :
       {Row{"multishot_recieve", "'multishot_recieve'", "'multishot_recv'"},
        Row{"ext_arg,bufer_ring", "'bufer_ring'", "'buffer_ring'"},
        Row{"EXT_ARG", "'EXT_ARG'", "'"}, Row{"ext_arg, query", "' query'", "'query'"},
        Row{"quer", "'quer'", "'query'"}, Row{"querys,nothing_at_all", "'querys'", "'query'"}}) {
    const auto mask = parse_feature_mask(row.text);
    ASSERT_FALSE(mask.has_value()) << row.text;
    EXPECT_NE(mask.error().find(row.unknown), std::string::npos) << mask.error();
    EXPECT_NE(mask.error().find("nearest is " + std::string(row.nearest)), std::string::npos)
        << mask.error();
    EXPECT_EQ(mask.error().find('\n'), std::string::npos) << "one sentence";
  }
}

TEST(FeatureMask, AVeryLongUnknownNameIsOnlyUnknown) {
  EXPECT_FALSE(parse_feature_mask(std::string(1000, 'x')).has_value());
}

TEST(FeatureTable, EachRowIsCompleteAndItsNameUnique) {
  std::set<std::string> names;
  std::size_t index = 0;
  for (const uring::FeatureInfo& row : uring::feature_table()) {
    EXPECT_EQ(static_cast<std::size_t>(row.feature), index++);
    EXPECT_EQ(&uring::info(row.feature), &row);
    EXPECT_TRUE(names.insert(row.name).second) << row.name << " stands there twice";
    EXPECT_EQ(std::string(row.name).find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789"),
              std::string::npos)
        << row.name;
    EXPECT_TRUE(std::string(row.since).starts_with("5.") ||
                std::string(row.since).starts_with("6."))
        << row.name;
    EXPECT_NE(std::string(row.meaning), "") << row.name;
    EXPECT_NE(std::string(row.fallback), "") << row.name;
  }
  EXPECT_EQ(index, uring::kFeatureCount);
}

// The names that the documentation promises for URING_DISABLE.
TEST(FeatureTable, HasThePromisedNames) {
  EXPECT_TRUE(parse_feature_mask("single_issuer,defer_taskrun,coop_taskrun,submit_all,cqsize,"
                                 "no_sqarray,ext_arg,registered_ring,buffer_ring,buffer_ring_inc,"
                                 "bundles,multishot_accept,multishot_recv,direct_accept,cancel_fd,"
                                 "openat2,send_zc,sendmsg_zc,min_wait,registered_wait,ring_resize,"
                                 "msg_ring,clone_buffers,query,futex,epoll_wait")
                  .has_value());
}

TEST(FeatureEvidence, HasANameEach) {
  std::set<std::string> names;
  for (const uring::Evidence evidence :
       {uring::Evidence::Query, uring::Evidence::FeatureWord, uring::Evidence::Probe,
        uring::Evidence::Trial, uring::Evidence::Masked}) {
    names.insert(uring::to_string(evidence));
  }
  EXPECT_EQ(names.size(), 5U);
  EXPECT_FALSE(names.contains("?"));
}

}  // namespace
