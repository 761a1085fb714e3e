#include <gtest/gtest.h>

#include "common/support/http_counters.hpp"

namespace {

static_assert(support::HasCounters<support::HttpCounters>);

TEST(HttpCounters, CountAnAnswerByItsClass) {
  support::HttpCounters counters;
  for (const unsigned status : {200U, 206U, 304U, 400U, 404U, 431U, 503U}) {
    counters.count(status);
  }
  EXPECT_EQ(counters.requests, 7U);
  EXPECT_EQ(counters.status_2xx, 2U);
  EXPECT_EQ(counters.status_3xx, 1U);
  EXPECT_EQ(counters.status_4xx, 3U);
  EXPECT_EQ(counters.status_5xx, 1U);
}

}  // namespace
