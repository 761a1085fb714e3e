// What the load client sends: sizes, and bytes by which every mix-up shows.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "checkpoints/load_client/byte_source.hpp"
#include "checkpoints/load_client/http_answers.hpp"
#include "checkpoints/load_client/size_mix.hpp"
#include "checkpoints/load_client/target.hpp"

namespace {

using namespace load_client;

std::string text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string read(const ByteSource& source, std::uint64_t position, std::size_t size) {
  std::string all;
  while (all.size() < size) {
    all += text(source.at(position + all.size(), size - all.size()));
  }
  return all;
}

TEST(LoadClientByteSource, RepeatsItsPeriod) {
  const std::string period = "abcde";
  const ByteSource source(std::as_bytes(std::span(period)), 3);
  EXPECT_EQ(source.period(), 5U);
  EXPECT_EQ(read(source, 0, 12), "abcdeabcdeab");
  EXPECT_EQ(read(source, 10'000'000'003, 4), "deab");
}

TEST(LoadClientByteSource, GivesWhatItPromisesInOnePiece) {
  const std::string period = "abcde";
  const ByteSource source(std::as_bytes(std::span(period)), 3);
  for (std::uint64_t position = 0; position < 20; ++position) {
    EXPECT_GE(source.at(position, 100).size(), 3U);
    EXPECT_EQ(source.at(position, 2).size(), 2U);
  }
}

TEST(LoadClientPattern, NoEightBytesComeTwice) {
  const ByteSource pattern = make_pattern(1);
  const std::string all = read(pattern, 0, pattern.period());
  std::vector<std::uint64_t> eights(all.size() - 7);
  for (std::size_t i = 0; i < eights.size(); ++i) {
    std::memcpy(&eights[i], &all[i], sizeof eights[i]);
  }
  std::ranges::sort(eights);
  EXPECT_EQ(std::ranges::adjacent_find(eights), eights.end());
}

// A piece that is lost or doubled moves what follows by its size.
TEST(LoadClientPattern, DiffersAfterAnyUsualShift) {
  const ByteSource pattern = make_pattern(1);
  for (std::size_t shift = 1; shift <= 1 << 24; shift *= 2) {
    for (const std::size_t distance : {shift, shift * 3, shift * 5}) {
      EXPECT_NE(read(pattern, 0, 64), read(pattern, distance, 64)) << distance;
    }
  }
}

TEST(LoadClientPattern, DependsOnTheSeedAlone) {
  EXPECT_EQ(read(make_pattern(1), 0, 64), read(make_pattern(1), 0, 64));
  EXPECT_NE(read(make_pattern(1), 0, 64), read(make_pattern(2), 0, 64));
}

TEST(LoadClientPattern, ConnectionsAndTheirLivesBeginElsewhere) {
  std::set<std::uint64_t> begins;
  for (std::uint32_t connection = 0; connection < 100; ++connection) {
    for (std::uint64_t life = 0; life < 10; ++life) {
      begins.insert(stream_begin(1, connection, life));
    }
  }
  EXPECT_GE(begins.size(), 990U);
  EXPECT_EQ(stream_begin(1, 5, 3), stream_begin(1, 5, 3));
}

TEST(LoadClientSizeMix, OneSize) {
  Random random(1);
  const SizeMix mix(64);
  EXPECT_EQ(mix.draw(random), 64U);
  EXPECT_EQ(mix.largest(), 64U);
}

TEST(LoadClientSizeMix, DrawsByWeight) {
  const auto mix = SizeMix::parse("64:90,4K:9,1M:1");
  ASSERT_TRUE(mix.has_value());
  EXPECT_EQ(mix->largest(), 1U << 20);
  Random random(1);
  std::map<std::uint64_t, int> drawn;
  for (int i = 0; i < 100'000; ++i) {
    ++drawn[mix->draw(random)];
  }
  EXPECT_EQ(drawn.size(), 3U);
  EXPECT_NEAR(drawn[64], 90'000, 500);
  EXPECT_NEAR(drawn[4096], 9'000, 400);
  EXPECT_NEAR(drawn[1 << 20], 1'000, 150);
}

TEST(LoadClientSizeMix, RefusesWhatIsNoMix) {
  for (const char* mix : {"", "64", "64:", ":9", "64:0", "0:1", "64:-1", "64:1,", ",", "64:1;4K:1",
                          "a:b", "64:1:1", "2G:1"}) {
    EXPECT_FALSE(SizeMix::parse(mix).has_value()) << mix;
  }
}

TEST(LoadClientTarget, NameAddressAndProcess) {
  const auto whole = Target::parse("ours=127.0.0.1:80@42");
  ASSERT_TRUE(whole.has_value());
  EXPECT_EQ(whole->name, "ours");
  EXPECT_EQ(whole->address.to_string(), "127.0.0.1:80");
  EXPECT_EQ(whole->pid, 42);

  const auto bare = Target::parse("[::1]:80");
  ASSERT_TRUE(bare.has_value());
  EXPECT_EQ(bare->name, "[::1]:80");
  EXPECT_FALSE(bare->pid.has_value());
}

TEST(LoadClientTarget, RefusesTheRest) {
  for (const char* target : {"", "127.0.0.1", "127.0.0.1:0", "x=", "=127.0.0.1:9", "127.0.0.1:9@",
                             "127.0.0.1:9@x", "127.0.0.1:9@0", "127.0.0.1:9@99999999999"}) {
    EXPECT_FALSE(Target::parse(target).has_value()) << target;
  }
}

TEST(LoadClientRequests, AskForAllPathsInTurn) {
  const std::vector<std::string> paths = split_paths("/a,/bc");
  ASSERT_EQ(paths, (std::vector<std::string>{"/a", "/bc"}));
  const RequestStream requests = make_requests(paths, "h:1", false);
  const std::string both =
      "GET /a HTTP/1.1\r\nHost: h:1\r\n\r\nGET /bc HTTP/1.1\r\nHost: h:1\r\n\r\n";
  ASSERT_EQ(requests.sizes.size(), 2U);
  EXPECT_EQ(requests.sizes[0] + requests.sizes[1], both.size());
  EXPECT_EQ(read(requests.bytes, 0, 2 * both.size()), both + both);
}

TEST(LoadClientRequests, Head) {
  const std::vector<std::string> paths = {"/"};
  EXPECT_TRUE(
      read(make_requests(paths, "h", true).bytes, 0, 64).starts_with("HEAD / HTTP/1.1\r\n"));
}

}  // namespace
