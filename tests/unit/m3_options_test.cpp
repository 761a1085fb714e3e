// What the network server can be told.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "m3_network_server/options.hpp"

namespace {

using network_server::EchoOptions;

struct Outcome {
  std::optional<int> status;
  EchoOptions options;
  std::string out;
  std::string err;
};

Outcome parse(std::vector<std::string> words) {
  words.insert(words.begin(), "m3_network_server");
  std::vector<char*> argv;
  for (std::string& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  Outcome outcome;
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  outcome.status = network_server::parse_echo_options(
      "m3_network_server", static_cast<int>(words.size()), argv.data(), outcome.options);
  outcome.out = testing::internal::GetCapturedStdout();
  outcome.err = testing::internal::GetCapturedStderr();
  return outcome;
}

}  // namespace

TEST(NetworkOptions, Defaults) {
  const Outcome outcome = parse({});
  EXPECT_FALSE(outcome.status.has_value());
  EXPECT_EQ(outcome.options.buffers, 512U);
  EXPECT_EQ(outcome.options.buffer_size, 16384U);
  EXPECT_EQ(outcome.options.send_buffers, 16);
  EXPECT_EQ(outcome.options.batch_wait.count(), 0);
  EXPECT_FALSE(outcome.options.single_shot);
  EXPECT_FALSE(outcome.options.direct_descriptors);
  EXPECT_FALSE(outcome.options.log_states);
  EXPECT_EQ(outcome.options.trace, "");
}

TEST(NetworkOptions, EachIsTaken) {
  const Outcome outcome =
      parse({"--buffers", "64", "--buffer-size=1M", "--send-buffers", "3", "--single-shot",
             "--direct-descriptors", "--log-states", "--trace", "file", "--max-buffered", "8K",
             "--port", "9", "--max-connections", "5", "--batch-wait", "30us"});
  EXPECT_FALSE(outcome.status.has_value()) << outcome.err;
  EXPECT_EQ(outcome.options.buffers, 64U);
  EXPECT_EQ(outcome.options.batch_wait, std::chrono::microseconds(30));
  EXPECT_EQ(outcome.options.buffer_size, 1U << 20);
  EXPECT_EQ(outcome.options.send_buffers, 3);
  EXPECT_TRUE(outcome.options.single_shot);
  EXPECT_TRUE(outcome.options.direct_descriptors);
  EXPECT_TRUE(outcome.options.log_states);
  EXPECT_EQ(outcome.options.trace, "file");
  EXPECT_EQ(outcome.options.server.max_buffered, 8192U);
  EXPECT_EQ(outcome.options.server.port, 9);
  EXPECT_EQ(outcome.options.server.max_connections, 5U);
}

TEST(NetworkOptions, TheLeastAndTheMost) {
  for (const char* buffers : {"2", "32768"}) {
    EXPECT_FALSE(parse({"--buffers", buffers}).status.has_value()) << buffers;
  }
  for (const char* size : {"64", "1M"}) {
    EXPECT_FALSE(parse({"--buffer-size", size}).status.has_value()) << size;
  }
  for (const char* most : {"1", "64"}) {
    EXPECT_FALSE(parse({"--send-buffers", most}).status.has_value()) << most;
  }
}

TEST(NetworkOptions, WhatCannotBeIsOneSentence) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"--buffers", "0"},
                                             {"--buffers", "1"},
                                             {"--buffers", "3"},
                                             {"--buffers", "1000"},
                                             {"--buffers", "65536"},
                                             {"--buffers", "-2"},
                                             {"--buffer-size", "63"},
                                             {"--buffer-size", "2M"},
                                             {"--send-buffers", "0"},
                                             {"--send-buffers", "65"},
                                             {"--max-buffered", "1"},
                                             {"--trace"},
                                             {"--trace", ""},
                                             {"--single-shoot"},
                                             {"echo"}}) {
    const Outcome outcome = parse(words);
    EXPECT_EQ(outcome.status, 2) << words.front();
    EXPECT_EQ(outcome.out, "");
    EXPECT_TRUE(outcome.err.starts_with("m3_network_server: ")) << outcome.err;
    EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << outcome.err;
    // It says which word was wrong.
    EXPECT_NE(outcome.err.find(words.front()), std::string::npos) << outcome.err;
  }
}

TEST(NetworkOptions, HelpNamesThemAll) {
  const Outcome outcome = parse({"--help"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.err, "");
  for (const char* name :
       {"--port", "--bind", "--max-connections", "--idle-timeout", "--drain-timeout",
        "--stats-interval", "--max-buffered", "--buffers", "--buffer-size", "--send-buffers",
        "single-shot", "direct-descriptors", "log-states", "--trace"}) {
    EXPECT_NE(outcome.out.find(name), std::string::npos) << name;
  }
}
