// What a connection of the file server has received: it grows when a head needs that, and shrinks.

#include <algorithm>
#include <random>
#include <span>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "m2_file_server/input.hpp"

namespace {

using file_server::Input;

constexpr std::size_t kSmall = 1024;
constexpr const char* kCheck = "CHECK\\(.*\\) failed";

void receive(Input& input, std::string_view text) {
  ASSERT_LE(text.size(), input.space().size());
  std::ranges::copy(std::as_bytes(std::span(text)), input.space().begin());
  input.received(text.size());
}

std::string letters(std::size_t size, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::string text(size, ' ');
  std::ranges::generate(text, [&] { return static_cast<char>('a' + random() % 26); });
  return text;
}

}  // namespace

TEST(FileInput, BeginsEmptyWithAKilobyte) {
  Input input;
  EXPECT_TRUE(input.empty());
  EXPECT_FALSE(input.full());
  EXPECT_EQ(input.contents(), "");
  EXPECT_EQ(input.space().size(), kSmall);
}

TEST(FileInput, WhatIsReceivedStandsBehindWhatIsThere) {
  Input input;
  receive(input, "abc");
  receive(input, "de");
  EXPECT_EQ(input.contents(), "abcde");
  EXPECT_EQ(input.space().size(), kSmall - 5);
}

TEST(FileInput, TheRestMovesToTheFront) {
  Input input;
  receive(input, "abcde");
  input.consume(2);
  EXPECT_EQ(input.contents(), "cde");
  input.consume(0);
  EXPECT_EQ(input.contents(), "cde");
  input.consume(3);
  EXPECT_TRUE(input.empty());
  EXPECT_EQ(input.space().size(), kSmall);
}

TEST(FileInput, GrowsWithItsContents) {
  Input input;
  const std::string text = letters(kSmall);
  receive(input, text);
  EXPECT_TRUE(input.full());
  input.grow(kSmall);
  EXPECT_TRUE(input.full()) << "as large as it is";
  input.grow(kSmall - 1);
  EXPECT_TRUE(input.full()) << "it does not shrink that way";
  input.grow(3 * kSmall);
  EXPECT_FALSE(input.full());
  EXPECT_EQ(input.contents(), text);
  EXPECT_EQ(input.space().size(), 2 * kSmall);
  input.grow(4 * kSmall);
  EXPECT_EQ(input.contents(), text);
  EXPECT_EQ(input.space().size(), 3 * kSmall);
}

TEST(FileInput, GrownMemoryIsGivenBackWhenTheRestFits) {
  Input input;
  const std::string text = letters(4 * kSmall);
  input.grow(4 * kSmall);
  receive(input, text);
  input.consume(kSmall);
  EXPECT_EQ(input.contents(), text.substr(kSmall));
  EXPECT_EQ(input.space().size(), kSmall) << "3 KiB do not fit into one";
  input.consume(2 * kSmall);
  EXPECT_EQ(input.contents(), text.substr(3 * kSmall));
  EXPECT_TRUE(input.full()) << "a kilobyte, full to the last byte";
  input.consume(kSmall);
  EXPECT_EQ(input.space().size(), kSmall);
}

TEST(FileInput, GrownMemoryIsGivenBackByOneConsumeOfAll) {
  Input input;
  input.grow(16 * kSmall);
  receive(input, letters(16 * kSmall));
  input.consume(16 * kSmall);
  EXPECT_TRUE(input.empty());
  EXPECT_EQ(input.space().size(), kSmall);
}

TEST(FileInput, WhateverComesInWhateverOrderItIsAQueueOfBytes) {
  std::mt19937 random(7);
  Input input;
  std::string model;
  for (int step = 0; step < 5000; ++step) {
    const std::size_t amount = random() % 700;
    switch (random() % 4) {
      case 0:
        input.grow(amount * 10);
        break;
      case 1:
        input.consume(std::min(amount, model.size()));
        model.erase(0, std::min(amount, model.size()));
        break;
      default: {
        const std::string text =
            letters(std::min(amount, input.space().size()), static_cast<unsigned>(step));
        receive(input, text);
        model += text;
      }
    }
    ASSERT_EQ(input.contents(), model);
    ASSERT_EQ(input.empty(), model.empty());
    ASSERT_EQ(input.full(), input.space().empty());
  }
}

TEST(FileInputDeathTest, NoMoreIsUsedThanThereIs) {
  Input input;
  receive(input, "abc");
  EXPECT_DEATH(input.consume(4), kCheck);
  EXPECT_DEATH(input.received(kSmall), kCheck);
}
