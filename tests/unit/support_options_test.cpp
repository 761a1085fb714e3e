#include <chrono>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/support/options.hpp"

namespace {

using namespace std::chrono_literals;
using support::Option;
using support::Options;
using support::Parsed;

enum class Mode : std::uint8_t { Single, Multishot };

// What a server might have.
struct Targets {
  std::string folder;
  std::string output = "out.txt";
  std::uint16_t port = 8080;
  int nice = 0;
  std::uint32_t buffer_bytes = 65536;
  std::chrono::nanoseconds timeout = 60s;
  bool pin = false;
  bool check = true;
  Mode mode = Mode::Multishot;
  std::string trace;
};

Options table(Targets& to) {
  return Options(
      "server", "Serves the files below FOLDER.",
      {Option::positional("FOLDER", &to.folder, "where the files are"),
       Option::positional("OUTPUT", &to.output, "where the report goes"),
       Option::integer("port", &to.port, 0, 65535, "TCP port"),
       Option::integer("nice", &to.nice, -20, 19, "priority"),
       Option::size("buffer-size", &to.buffer_bytes, 512, 1 << 20, "of one buffer"),
       Option::duration("timeout", &to.timeout, 0s, 1h, "close a silent connection"),
       Option::flag("pin", &to.pin, "keep the thread on one CPU"),
       Option::flag("check", &to.check, "check every answer"),
       Option::choice("mode", &to.mode, {{"single", Mode::Single}, {"multishot", Mode::Multishot}},
                      "how to receive"),
       Option::text("trace", "FILE", &to.trace, "write a trace")});
}

std::expected<Parsed, std::string> parse(const Options& options,
                                         std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "./server");
  return options.parse(static_cast<int>(arguments.size()), arguments.data());
}

// Parses what must be right.
Targets accept(const std::vector<const char*>& arguments) {
  Targets targets;
  const auto parsed = parse(table(targets), arguments);
  EXPECT_TRUE(parsed.has_value()) << parsed.error();
  EXPECT_EQ(parsed.value_or(Parsed::Help), Parsed::Run);
  return targets;
}

// Parses what must be wrong.
std::string refuse(const std::vector<const char*>& arguments) {
  Targets targets;
  const auto parsed = parse(table(targets), arguments);
  EXPECT_FALSE(parsed.has_value());
  return parsed.has_value() ? "" : parsed.error();
}

TEST(Options, WhatIsNotGivenKeepsItsDefault) {
  const Targets targets = accept({"files"});
  EXPECT_EQ(targets.folder, "files");
  EXPECT_EQ(targets.output, "out.txt");
  EXPECT_EQ(targets.port, 8080);
  EXPECT_EQ(targets.timeout, 60s);
  EXPECT_EQ(targets.mode, Mode::Multishot);
  EXPECT_TRUE(targets.check);
}

TEST(Options, EveryKindIsSet) {
  const Targets targets =
      accept({"--port", "1", "--nice", "-5", "--buffer-size", "4K", "--timeout", "250ms", "--pin",
              "--no-check", "--mode", "single", "--trace", "t.bin", "files", "report"});
  EXPECT_EQ(targets.port, 1);
  EXPECT_EQ(targets.nice, -5);
  EXPECT_EQ(targets.buffer_bytes, 4096u);
  EXPECT_EQ(targets.timeout, 250ms);
  EXPECT_TRUE(targets.pin);
  EXPECT_FALSE(targets.check);
  EXPECT_EQ(targets.mode, Mode::Single);
  EXPECT_EQ(targets.trace, "t.bin");
  EXPECT_EQ(targets.folder, "files");
  EXPECT_EQ(targets.output, "report");
}

TEST(Options, AValueMayFollowAnEqualsSign) {
  const Targets targets = accept({"--port=2", "files", "--trace=a=b", "--timeout=0"});
  EXPECT_EQ(targets.port, 2);
  EXPECT_EQ(targets.trace, "a=b");
  EXPECT_EQ(targets.timeout, 0s);
}

TEST(Options, TheLastOneWins) {
  const Targets targets = accept({"files", "--port", "1", "--port", "2", "--pin", "--no-pin"});
  EXPECT_EQ(targets.port, 2);
  EXPECT_FALSE(targets.pin);
}

TEST(Options, TwoDashesEndTheOptions) {
  const Targets targets = accept({"--port", "3", "--", "--pin", "--"});
  EXPECT_EQ(targets.port, 3);
  EXPECT_EQ(targets.folder, "--pin");
  EXPECT_EQ(targets.output, "--");
  EXPECT_FALSE(targets.pin);
}

TEST(Options, ALoneDashIsAnArgument) {
  EXPECT_EQ(accept({"-"}).folder, "-");
}

TEST(Options, TheEndsOfARangeBelongToIt) {
  EXPECT_EQ(accept({"f", "--port", "0"}).port, 0);
  EXPECT_EQ(accept({"f", "--port", "65535"}).port, 65535);
  EXPECT_EQ(accept({"f", "--nice", "-20"}).nice, -20);
  EXPECT_EQ(accept({"f", "--buffer-size", "1M"}).buffer_bytes, 1u << 20);
  EXPECT_EQ(accept({"f", "--timeout", "1h"}).timeout, 1h);
}

TEST(Options, WhatIsOutsideIsRefusedWithTheRange) {
  const std::string port = "option '--port' needs a whole number from 0 to 65535, not ";
  EXPECT_EQ(refuse({"f", "--port", "65536"}), port + "'65536'");
  EXPECT_EQ(refuse({"f", "--port", "-1"}), port + "'-1'");
  EXPECT_EQ(refuse({"f", "--port", "99999999999999999999"}), port + "'99999999999999999999'");
  EXPECT_EQ(refuse({"f", "--port", "80x"}), port + "'80x'");
  EXPECT_EQ(refuse({"f", "--port="}), port + "''");
  EXPECT_EQ(refuse({"f", "--buffer-size", "511"}),
            "option '--buffer-size' needs a size from 512 to 1M (bytes, or with K, M or G), "
            "not '511'");
  EXPECT_EQ(refuse({"f", "--buffer-size", "2M"}),
            "option '--buffer-size' needs a size from 512 to 1M (bytes, or with K, M or G), "
            "not '2M'");
  EXPECT_EQ(refuse({"f", "--timeout", "5"}),
            "option '--timeout' needs a time from 0 to 1h (with its unit: ns, us, ms, s, min or "
            "h), not '5'");
  EXPECT_EQ(refuse({"f", "--timeout", "61min"}),
            "option '--timeout' needs a time from 0 to 1h (with its unit: ns, us, ms, s, min or "
            "h), not '61min'");
  EXPECT_EQ(refuse({"f", "--mode", "both"}),
            "option '--mode' needs one of single, multishot, not 'both'");
  EXPECT_EQ(refuse({"f", "--trace", ""}),
            "option '--trace' needs a text that is not empty, not ''");
}

TEST(Options, AMissingValueIsNoticed) {
  const std::string port =
      "option '--port' needs a whole number from 0 to 65535, but nothing was given";
  EXPECT_EQ(refuse({"f", "--port"}), port);
  EXPECT_EQ(refuse({"f", "--port", "--pin"}), port);
}

TEST(Options, AFlagTakesNoValue) {
  EXPECT_EQ(refuse({"f", "--pin=yes"}), "option '--pin' takes no value, but was given 'yes'");
  EXPECT_EQ(refuse({"f", "--no-pin=1"}), "option '--no-pin' takes no value, but was given '1'");
  EXPECT_EQ(refuse({"f", "--help=1"}), "option '--help' takes no value");
}

TEST(Options, AMisspeltNameIsAnsweredWithTheNearest) {
  EXPECT_EQ(refuse({"f", "--prot", "1"}), "unknown option '--prot'; did you mean '--port'?");
  EXPECT_EQ(refuse({"f", "--bufer-size=1"}),
            "unknown option '--bufer-size'; did you mean '--buffer-size'?");
  EXPECT_EQ(refuse({"f", "--no-chek"}), "unknown option '--no-chek'; did you mean '--no-check'?");
  EXPECT_EQ(refuse({"f", "-port"}), "unknown option '-port'; did you mean '--port'?");
  EXPECT_EQ(refuse({"f", "--hlep"}), "unknown option '--hlep'; did you mean '--help'?");
  EXPECT_EQ(refuse({"f", "--verbose"}), "unknown option '--verbose'; --help lists the options");
}

TEST(Options, OnlyFlagsCanBeNegated) {
  EXPECT_EQ(refuse({"f", "--no-mode"}), "unknown option '--no-mode'; --help lists the options");
}

TEST(Options, ArgumentsAreCounted) {
  EXPECT_EQ(refuse({}), "missing argument: FOLDER (where the files are)");
  EXPECT_EQ(refuse({"a", "b", "c"}), "unexpected argument 'c'; --help shows what is expected");
  EXPECT_EQ(refuse({""}), "argument FOLDER needs a text that is not empty, not ''");
}

TEST(Options, AListTakesWhatIsLeft) {
  for (const std::size_t count : {0u, 1u, 3u}) {
    std::string first;
    std::vector<std::string> others;
    const Options options("cat", "Prints files.",
                          {Option::positional("FIRST", &first, "a file"),
                           Option::positional_list("FILE", &others, "more files")});
    std::vector<const char*> arguments = {"one"};
    arguments.insert(arguments.end(), count, "another");
    ASSERT_TRUE(parse(options, arguments).has_value());
    EXPECT_EQ(first, "one");
    EXPECT_EQ(others, std::vector<std::string>(count, "another"));
  }
}

TEST(Options, HelpIsSeenBeforeWhatComesBehindIt) {
  Targets targets;
  const Options options = table(targets);
  for (const char* help : {"--help", "-h"}) {
    const auto parsed = parse(options, {help, "--nonsense"});
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(*parsed, Parsed::Help);
  }
}

TEST(Options, HelpIsTheTable) {
  Targets targets;
  EXPECT_EQ(table(targets).help(),
            R"(usage: server [options] FOLDER [OUTPUT]
Serves the files below FOLDER.

arguments:
  FOLDER                   where the files are
  OUTPUT                   where the report goes (default: out.txt)

options:
  --port N                 TCP port (default: 8080)
  --nice N                 priority (default: 0)
  --buffer-size SIZE       of one buffer (default: 64K)
  --timeout TIME           close a silent connection (default: 1min)
  --[no-]pin               keep the thread on one CPU
  --[no-]check             check every answer (default: on)
  --mode single|multishot  how to receive (default: multishot)
  --trace FILE             write a trace
  --help                   print this and exit
)");
}

TEST(Options, HelpIsNoWiderThanEightyColumns) {
  int number = 0;
  Mode mode = Mode::Single;
  std::vector<std::string> files;
  const std::string sentence =
      "a long text about an option which has much to say and needs more than one line to say it";
  const Options options(
      "a_program", sentence + ". " + sentence + ".",
      {Option::positional_list("A_POSITIONAL_WITH_A_LONG_NAME_THAT_FILLS_COLUMNS", &files,
                               sentence),
       Option::integer("number", &number, 0, 9, sentence),
       Option::integer("an-option-whose-name-alone-is-too-wide", &number, 0, 9, sentence),
       Option::choice(
           "mode", &mode,
           {{"the-single-shot-form", Mode::Single}, {"the-multishot-form", Mode::Multishot}},
           sentence)});
  const std::string help = options.help();
  std::istringstream lines(help);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_LE(line.size(), 80u) << line;
    EXPECT_FALSE(line.ends_with(' ')) << line;
  }
  EXPECT_GT(count, 15);
  EXPECT_NE(help.find("the-single-shot-form, the-multishot-form"), std::string::npos) << help;
}

TEST(Options, ParseMainSaysHowToExit) {
  Targets targets;
  const Options options = table(targets);

  const char* good[] = {"./server", "files"};
  EXPECT_EQ(options.parse_main(2, good), std::nullopt);

  testing::internal::CaptureStdout();
  const char* help[] = {"./server", "--help"};
  EXPECT_EQ(options.parse_main(2, help), 0);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), options.help());

  testing::internal::CaptureStderr();
  const char* bad[] = {"./server", "files", "--prot=1"};
  EXPECT_EQ(options.parse_main(3, bad), 2);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "server: unknown option '--prot'; did you mean '--port'?\n");
}

TEST(Options, AnEmptyArgumentVectorIsLegal) {
  std::vector<std::string> files;
  const Options options("cat", "Prints files.", {Option::positional_list("FILE", &files, "files")});
  const char* const nothing[] = {nullptr};
  EXPECT_TRUE(options.parse(0, nothing).has_value());
}

TEST(OptionsDeathTest, AWrongTableIsRefused) {
  bool flag = false;
  std::string empty;
  std::string full = "x";
  EXPECT_DEATH(Options("p", "s", {Option::flag("a", &flag, ""), Option::flag("a", &flag, "")}),
               "once");
  EXPECT_DEATH(Options("p", "s", {Option::flag("help", &flag, "")}), "always there");
  EXPECT_DEATH(
      Options("p", "s", {Option::positional("A", &full, ""), Option::positional("B", &empty, "")}),
      "comes last");
}

}  // namespace
