#include "common/support/json_writer.hpp"

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <utility>

#include "common/base/check.hpp"

namespace support {
namespace {

// The first byte of a UTF-8 sequence says how long it is and which second bytes are allowed: those
// outside the limits would make an overlong form, a surrogate, or more than U+10FFFF.
struct Utf8Lead {
  unsigned char first;
  unsigned char last;
  std::size_t length;
  unsigned char second_min;
  unsigned char second_max;
};

constexpr Utf8Lead kUtf8Leads[] = {
    {0x00, 0x7f, 1, 0, 0},       {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf},
    {0xe1, 0xec, 3, 0x80, 0xbf}, {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf},
    {0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

unsigned char byte_at(std::string_view text, std::size_t index) {
  return static_cast<unsigned char>(text[index]);
}

// How many bytes the character at the beginning of `text` has; 0 if there is none.
std::size_t utf8_length(std::string_view text) {
  for (const Utf8Lead& lead : kUtf8Leads) {
    if (byte_at(text, 0) < lead.first || byte_at(text, 0) > lead.last) {
      continue;
    }
    if (text.size() < lead.length) {
      return 0;
    }
    for (std::size_t i = 1; i < lead.length; ++i) {
      const unsigned char min = i == 1 ? lead.second_min : 0x80;
      const unsigned char max = i == 1 ? lead.second_max : 0xbf;
      if (byte_at(text, i) < min || byte_at(text, i) > max) {
        return 0;
      }
    }
    return lead.length;
  }
  return 0;
}

}  // namespace

JsonWriter& JsonWriter::begin_object() {
  begin('{', Place::Object);
  return *this;
}

JsonWriter& JsonWriter::end_object() {
  end('}', Place::Object);
  return *this;
}

JsonWriter& JsonWriter::begin_array() {
  begin('[', Place::Array);
  return *this;
}

JsonWriter& JsonWriter::end_array() {
  end(']', Place::Array);
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  CHECK(!open_.empty() && open_.back() == Place::Object,
        "a key stands in an object, before a value");
  if (needs_comma_) {
    text_ += ',';
  }
  append_quoted(name);
  text_ += ':';
  open_.back() = Place::ObjectValue;
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  begin_value();
  append_quoted(text);
  return *this;
}

JsonWriter& JsonWriter::value(double number) {
  if (!std::isfinite(number)) {
    return null();
  }
  char digits[32];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
  CHECK(error == std::errc(), "the shortest form has at most 24 characters");
  return write(std::string_view(digits, static_cast<std::size_t>(end - digits)));
}

JsonWriter& JsonWriter::null() {
  return write("null");
}

std::string JsonWriter::finish() {
  CHECK(open_.empty() && !text_.empty(), "all that was begun has ended");
  return std::exchange(text_, {});
}

void JsonWriter::begin_value() {
  if (open_.empty()) {
    CHECK(text_.empty(), "a JSON text is one value");
    return;
  }
  CHECK(open_.back() != Place::Object, "a value in an object has a key");
  if (needs_comma_) {
    text_ += ',';
  }
  needs_comma_ = true;
  if (open_.back() == Place::ObjectValue) {
    open_.back() = Place::Object;
  }
}

JsonWriter& JsonWriter::write(std::string_view literal) {
  begin_value();
  text_ += literal;
  return *this;
}

void JsonWriter::begin(char bracket, Place place) {
  begin_value();
  text_ += bracket;
  open_.push_back(place);
  needs_comma_ = false;
}

void JsonWriter::end(char bracket, Place place) {
  CHECK(!open_.empty() && open_.back() == place, "what ends is what was begun last");
  text_ += bracket;
  open_.pop_back();
  needs_comma_ = true;
}

void JsonWriter::append_quoted(std::string_view text) {
  text_ += '"';
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const char first = text.front();
    constexpr unsigned char kFirstPrintable = 0x20;
    if (length == 0) {
      text_ += "\\ufffd";
    } else if (first == '"' || first == '\\') {
      text_ += '\\';
      text_ += first;
    } else if (first == '\n') {
      text_ += "\\n";
    } else if (first == '\t') {
      text_ += "\\t";
    } else if (byte_at(text, 0) < kFirstPrintable) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(byte_at(text, 0)));
      text_ += escape;
    } else {
      text_ += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  text_ += '"';
}

}  // namespace support
