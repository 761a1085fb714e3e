#include <array>

#include <gtest/gtest.h>

#include "common/support/connection_table.hpp"

namespace {

using support::ConnectionRow;

TEST(ConnectionTable, HasItsHeadingsWithoutConnectionsToo) {
  EXPECT_EQ(support::connection_table({}),
            "fd  peer  state  ops  received  sent  buffered  age_ms  closes_at_ns\n");
}

TEST(ConnectionTable, StandsInColumns) {
  const std::array<ConnectionRow, 2> rows = {{{.fd = 7,
                                               .peer = "127.0.0.1:40000",
                                               .state = "reading",
                                               .ops = 11,
                                               .received_bytes = 1'000'000'000,
                                               .sent_bytes = 2,
                                               .buffered_bytes = 3,
                                               .age_ms = 4,
                                               .closes_at_ns = 5},
                                              {.fd = 123,
                                               .peer = "gone",
                                               .state = "closing",
                                               .received_bytes = 6,
                                               .sent_bytes = 70'000,
                                               .buffered_bytes = 8,
                                               .age_ms = 9,
                                               .closes_at_ns = 10}}};
  EXPECT_EQ(
      support::connection_table(rows),
      "fd   peer             state    ops  received    sent   buffered  age_ms  closes_at_ns\n"
      "7    127.0.0.1:40000  reading  11   1000000000  2      3         4       5\n"
      "123  gone             closing  -    6           70000  8         9       10\n");
}

}  // namespace
