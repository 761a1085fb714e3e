#pragma once
// The classes of bytes that HTTP's grammar is made of, and comparison without regard to case.
// Nothing here knows a locale: the grammar is ASCII.

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace http {

enum ByteClass : std::uint8_t {
  kTokenByte = 1,   // tchar: methods and field names (RFC 9110, section 5.6.2)
  kFieldByte = 2,   // may stand in a field value: all but control characters; tab may (section 5.5)
  kTargetByte = 4,  // may stand in a request target: all but space, control characters and "#"
  kHostByte = 8,    // may stand in a host name; see below
  kPathByte = 16,   // need not be percent-encoded in a path: pchar and "/" (RFC 3986, section 3.3)
};

// Host names: the reg-name of RFC 3986 without percent-encoding, which no name that DNS knows
// needs, and without the comma, with which proxies have joined two Host fields into one.
inline constexpr auto kByteClasses = [] {
  constexpr std::string_view kDigitsAndLetters =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::array<std::uint8_t, 256> classes{};
  const auto add = [&classes](std::string_view bytes, std::uint8_t which) {
    for (const char byte : bytes) {
      classes[static_cast<unsigned char>(byte)] |= which;
    }
  };
  add(kDigitsAndLetters, kTokenByte | kHostByte | kPathByte);
  add("!#$%&'*+-.^_`|~", kTokenByte);
  add("-._~!$&'()*+;=", kHostByte | kPathByte);
  add(",:@/", kPathByte);
  for (unsigned byte = 0; byte < classes.size(); ++byte) {
    constexpr unsigned kDelete = 0x7f;
    const bool is_control = byte < ' ' || byte == kDelete;
    if (!is_control || byte == '\t') {
      classes[byte] |= kFieldByte;
    }
    if (!is_control && byte != ' ' && byte != '#') {
      classes[byte] |= kTargetByte;
    }
  }
  return classes;
}();

[[nodiscard]] constexpr bool is(ByteClass which, char byte) {
  return (kByteClasses[static_cast<unsigned char>(byte)] & which) != 0;
}

// All of them, and at least one.
[[nodiscard]] constexpr bool is_all(ByteClass which, std::string_view bytes) {
  return !bytes.empty() &&
         std::ranges::all_of(bytes, [which](char byte) { return is(which, byte); });
}

[[nodiscard]] constexpr bool is_digit(char byte) {
  return byte >= '0' && byte <= '9';
}

[[nodiscard]] constexpr char to_lower(char byte) {
  constexpr int kCaseBit = 'a' - 'A';
  return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + kCaseBit) : byte;
}

// The digit's value; -1 if it is none.
[[nodiscard]] constexpr int hex_value(char byte) {
  constexpr int kTen = 10;
  if (is_digit(byte)) {
    return byte - '0';
  }
  const char lower = to_lower(byte);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + kTen : -1;
}

// `lower` is in lower case already.
[[nodiscard]] constexpr bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  return std::ranges::equal(text, lower, {}, to_lower);
}

// Without the spaces and tabs around it.
[[nodiscard]] constexpr std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace http
