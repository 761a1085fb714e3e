#include <array>
#include <string>

#include <gtest/gtest.h>

#include "common/support/server_options.hpp"

namespace {

using support::Option;

TEST(ServerOptions, AreReadWithTheServersOwnRows) {
  support::ServerOptions options{.port = 8080};
  std::string root;
  const support::Options table(
      "server", "Serves.",
      support::server_option_rows(options, {support::max_buffered_row(options),
                                            Option::text("root", "DIR", &root, "the folder")}));
  const std::array<const char*, 7> arguments = {
      "server", "--idle-timeout", "2s", "--max-buffered", "64K", "--root", "files"};
  const auto parsed = table.parse(static_cast<int>(arguments.size()), arguments.data());
  ASSERT_TRUE(parsed) << parsed.error();
  EXPECT_EQ(options.port, 8080);
  EXPECT_EQ(options.idle_timeout, std::chrono::seconds(2));
  EXPECT_EQ(options.max_buffered, std::size_t{64} << 10);
  EXPECT_EQ(root, "files");
}

TEST(ServerOptions, HaveNoLimitOfBufferedBytesUnlessTheServerAddsIt) {
  support::ServerOptions options;
  const support::Options table("server", "Serves.", support::server_option_rows(options, {}));
  const std::array<const char*, 2> arguments = {"server", "--max-buffered=64K"};
  EXPECT_FALSE(table.parse(static_cast<int>(arguments.size()), arguments.data()));
}

}  // namespace
