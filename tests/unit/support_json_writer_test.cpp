#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "common/support/json_writer.hpp"

namespace {

using namespace std::string_view_literals;
using support::JsonWriter;

std::string text_of(std::string_view text) {
  return JsonWriter().value(text).finish();
}

TEST(JsonWriter, WritesValues) {
  EXPECT_EQ(JsonWriter().value("text").finish(), R"("text")");
  EXPECT_EQ(JsonWriter().value(std::string("text")).finish(), R"("text")");
  EXPECT_EQ(JsonWriter().value(true).finish(), "true");
  EXPECT_EQ(JsonWriter().value(false).finish(), "false");
  EXPECT_EQ(JsonWriter().null().finish(), "null");
  EXPECT_EQ(JsonWriter().value(-7).finish(), "-7");
  EXPECT_EQ(JsonWriter().value(std::uint8_t{65}).finish(), "65");
  EXPECT_EQ(JsonWriter().value(std::numeric_limits<std::uint64_t>::max()).finish(),
            "18446744073709551615");
  EXPECT_EQ(JsonWriter().value(std::numeric_limits<std::int64_t>::min()).finish(),
            "-9223372036854775808");
}

TEST(JsonWriter, NumbersReadBackAsTheSame) {
  EXPECT_EQ(JsonWriter().value(0.1).finish(), "0.1");
  EXPECT_EQ(JsonWriter().value(2.0).finish(), "2");
  EXPECT_EQ(JsonWriter().value(-1.5e300).finish(), "-1.5e+300");
  for (const double number :
       {1.0 / 3, -std::numeric_limits<double>::denorm_min(), -std::numeric_limits<double>::max()}) {
    EXPECT_EQ(std::strtod(JsonWriter().value(number).finish().c_str(), nullptr), number);
  }
}

TEST(JsonWriter, WhatJsonHasNoNumberForIsNull) {
  EXPECT_EQ(JsonWriter().value(std::numeric_limits<double>::infinity()).finish(), "null");
  EXPECT_EQ(JsonWriter().value(std::numeric_limits<double>::quiet_NaN()).finish(), "null");
}

TEST(JsonWriter, Nests) {
  JsonWriter json;
  json.begin_object();
  json.member("requests", 12).member("verdict", "tie");
  json.key("ratios").begin_array().value(0.5).value(1.5).end_array();
  json.key("empty").begin_object().end_object();
  json.key("rows").begin_array();
  for (int i = 0; i < 2; ++i) {
    json.begin_object().member("i", i).end_object();
  }
  json.begin_array().end_array().end_array();
  json.key("nothing").null();
  json.end_object();
  EXPECT_EQ(json.finish(), R"({"requests":12,"verdict":"tie","ratios":[0.5,1.5],"empty":{},)"
                           R"("rows":[{"i":0},{"i":1},[]],"nothing":null})");
}

TEST(JsonWriter, IsEmptyAfterFinish) {
  JsonWriter json;
  json.begin_array().value(1).end_array();
  EXPECT_EQ(json.finish(), "[1]");
  json.begin_array().value(2).end_array();
  EXPECT_EQ(json.finish(), "[2]");
}

TEST(JsonWriter, EscapesWhatMustBe) {
  EXPECT_EQ(text_of(R"(a "b" \c)"), R"("a \"b\" \\c")");
  EXPECT_EQ(text_of("\n\t\r\x01\x1f"), R"("\n\t\u000d\u0001\u001f")");
  EXPECT_EQ(text_of("a\0b"sv), R"("a\u0000b")");
  EXPECT_EQ(text_of("/\x7f"), "\"/\x7f\"");
  JsonWriter json;
  json.begin_object().member("\"\n", 1).end_object();
  EXPECT_EQ(json.finish(), R"({"\"\n":1})");
}

TEST(JsonWriter, KeepsUtf8) {
  // Of 2, 3 and 4 bytes, and the first and last of each kind of lead byte.
  for (const std::string_view text :
       {"\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
        "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_EQ(text_of(text), '"' + std::string(text) + '"');
  }
}

TEST(JsonWriter, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(text_of("a\xff"
                    "b"),
            R"("a\ufffdb")");
  EXPECT_EQ(text_of("\x80"), R"("\ufffd")");  // the middle of a character
  // Cut off, though what lies behind the end would complete it.
  EXPECT_EQ(text_of("\xe2\x82\xac"sv.substr(0, 2)), R"("\ufffd\ufffd")");
  EXPECT_EQ(text_of("\xc3("), R"("\ufffd(")");                    // cut off by another character
  EXPECT_EQ(text_of("\xc0\xaf"), R"("\ufffd\ufffd")");            // overlong '/'
  EXPECT_EQ(text_of("\xe0\x80\xaf"), R"("\ufffd\ufffd\ufffd")");  // the same with three bytes
  EXPECT_EQ(text_of("\xed\xa0\x80"), R"("\ufffd\ufffd\ufffd")");  // a surrogate
  EXPECT_EQ(text_of("\xf4\x90\x80\x80"), R"("\ufffd\ufffd\ufffd\ufffd")");  // U+110000
}

TEST(JsonWriterDeathTest, ChecksTheNesting) {
  EXPECT_DEATH(JsonWriter().begin_object().value(1), "has a key");
  EXPECT_DEATH(JsonWriter().begin_object().key("a").key("b"), "before a value");
  EXPECT_DEATH(JsonWriter().begin_array().key("a"), "stands in an object");
  EXPECT_DEATH(JsonWriter().key("a"), "stands in an object");
  EXPECT_DEATH(JsonWriter().begin_object().end_array(), "begun last");
  EXPECT_DEATH(JsonWriter().begin_object().key("a").end_object(), "begun last");
  EXPECT_DEATH(JsonWriter().end_array(), "begun last");
  EXPECT_DEATH(JsonWriter().value(1).value(2), "one value");
  EXPECT_DEATH((void)JsonWriter().begin_array().finish(), "has ended");
  EXPECT_DEATH((void)JsonWriter().finish(), "has ended");
}

}  // namespace
