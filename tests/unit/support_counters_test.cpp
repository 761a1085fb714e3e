#include <array>
#include <cstdint>

#include <gtest/gtest.h>

#include "common/support/counters.hpp"
#include "common/support/json_writer.hpp"

namespace {

struct EchoCounters {
  std::uint64_t accepted = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t closed = 0;
  static constexpr auto list() {
    return std::to_array<support::Counter<EchoCounters>>(
        {{"accepted", &EchoCounters::accepted},
         {"received_bytes", &EchoCounters::received_bytes},
         {"closed", &EchoCounters::closed}});
  }
};

struct OneForgotten {
  std::uint64_t listed = 0;
  std::uint64_t forgotten = 0;
  static constexpr auto list() {
    return std::to_array<support::Counter<OneForgotten>>({{"listed", &OneForgotten::listed}});
  }
};

static_assert(support::HasCounters<EchoCounters>);
static_assert(!support::HasCounters<OneForgotten>);

constexpr EchoCounters kCounters{.accepted = 3, .received_bytes = 1'000'000, .closed = 2};

TEST(Counters, PrintAsText) {
  EXPECT_EQ(support::counters_as_text(kCounters),
            "accepted        3\n"
            "received_bytes  1000000\n"
            "closed          2\n");
}

TEST(Counters, PrintAsJson) {
  support::JsonWriter json;
  json.begin_object().member("server", "echo");
  support::write_counters(json, kCounters);
  json.end_object();
  EXPECT_EQ(json.finish(), R"({"server":"echo","accepted":3,"received_bytes":1000000,"closed":2})");
}

}  // namespace
