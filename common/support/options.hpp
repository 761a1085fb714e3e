#pragma once
// The command line of a program, as a table:
//
//   std::uint16_t port = 8080;
//   std::chrono::nanoseconds idle_timeout = 60s;
//   bool pin = false;
//   std::string root;
//   const support::Options options(
//       "file_server", "Serves the files below FOLDER.",
//       {Option::positional("FOLDER", &root, "where the files are"),
//        Option::integer("port", &port, 0, 65535, "TCP port; 0 lets the kernel choose"),
//        Option::duration("idle-timeout", &idle_timeout, 1ms, 1h, "close a silent connection"),
//        Option::flag("pin", &pin, "keep the thread on one CPU")});
//   if (const auto exit_status = options.parse_main(argc, argv)) {
//     return *exit_status;
//   }
//
// The targets hold the defaults before the call, and must outlive it. An option is written
// `--name VALUE` or `--name=VALUE`, a flag `--name` or `--no-name`; the last one wins. `--` ends the
// options. --help (or -h) prints the table. Targets may be partly set when parsing fails.

#include <chrono>
#include <concepts>
#include <cstdint>
#include <expected>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/base/check.hpp"

namespace support {

template <class T>
concept OptionInteger = std::integral<T> && !std::same_as<T, bool>;

// One row of the table. Names are without the dashes; help texts begin in lower case and have no
// full stop.
class Option {
 public:
  static Option flag(std::string_view name, bool* target, std::string_view help);

  // A whole number from min to max.
  template <OptionInteger T>
  static Option integer(std::string_view name, T* target, std::type_identity_t<T> min,
                        std::type_identity_t<T> max, std::string_view help) {
    CHECK(std::in_range<std::int64_t>(max), "option values have 63 bits");
    return make_integer(name, static_cast<std::int64_t>(*target), static_cast<std::int64_t>(min),
                        static_cast<std::int64_t>(max), help,
                        [target](std::int64_t value) { *target = static_cast<T>(value); });
  }

  // Bytes: a whole number, with K, M or G for powers of 1024.
  template <OptionInteger T>
  static Option size(std::string_view name, T* target, std::type_identity_t<T> min,
                     std::type_identity_t<T> max, std::string_view help) {
    CHECK(std::in_range<std::int64_t>(max), "option values have 63 bits");
    return make_size(name, static_cast<std::int64_t>(*target), static_cast<std::int64_t>(min),
                     static_cast<std::int64_t>(max), help,
                     [target](std::int64_t value) { *target = static_cast<T>(value); });
  }

  // A whole number and a unit: ns, us, ms, s, min or h. 0 needs none.
  static Option duration(std::string_view name, std::chrono::nanoseconds* target,
                         std::chrono::nanoseconds min, std::chrono::nanoseconds max,
                         std::string_view help);

  // One word of a list, each standing for a value (of an enum, as a rule).
  template <class T>
  static Option choice(
      std::string_view name, T* target,
      std::initializer_list<std::pair<std::string_view, std::type_identity_t<T>>> choices,
      std::string_view help) {
    std::vector<std::string> words;
    std::vector<T> values;
    std::string current;
    for (const auto& [word, value] : choices) {
      words.emplace_back(word);
      values.push_back(value);
      if (value == *target) {
        current = word;
      }
    }
    return make_choice(
        name, std::move(words), current, help,
        [target, values = std::move(values)](std::size_t index) { *target = values[index]; });
  }

  // Any text that is not empty: an empty target means "not given". `value_name` is for the help:
  // "FILE", "ADDRESS".
  static Option text(std::string_view name, std::string_view value_name, std::string* target,
                     std::string_view help);

  // An argument without a name, in the order of the table. It must be given if its target is empty.
  static Option positional(std::string_view value_name, std::string* target, std::string_view help);

  // All the arguments that are left, which may be none. The target must be empty.
  static Option positional_list(std::string_view value_name, std::vector<std::string>* target,
                                std::string_view help);

 private:
  friend class Options;
  enum class Kind : std::uint8_t { Flag, Value, Positional, PositionalList };

  Option(Kind kind, std::string_view name, std::string_view help)
      : kind_(kind), name_(name), help_(help) {}
  [[nodiscard]] bool is_named() const { return kind_ == Kind::Flag || kind_ == Kind::Value; }
  static Option make_integer(std::string_view name, std::int64_t current, std::int64_t min,
                             std::int64_t max, std::string_view help,
                             std::function<void(std::int64_t)> set);
  static Option make_size(std::string_view name, std::int64_t current, std::int64_t min,
                          std::int64_t max, std::string_view help,
                          std::function<void(std::int64_t)> set);
  static Option make_choice(std::string_view name, std::vector<std::string> words,
                            const std::string& current, std::string_view help,
                            std::function<void(std::size_t)> set);

  Kind kind_;
  bool required_ = false;   // positionals
  std::string name_;        // of a positional: what it is called in the help
  std::string value_name_;  // "N", "SIZE"
  std::string help_;
  std::string default_;  // as the user would write it; empty: none worth showing
  std::string needs_;    // "a whole number from 0 to 65535", for the error
  // Sets the target; false if the text is not what `needs_` says. Of a flag: "" sets, "no" clears.
  std::function<bool(std::string_view)> store_;
};

enum class Parsed : std::uint8_t { Run, Help };

class Options {
 public:
  // `program` and `summary` (sentences) are for the help.
  Options(std::string_view program, std::string_view summary, std::vector<Option> table);

  // Sets the targets. An error is one sentence without the program's name: what is wrong, what was
  // expected, and the nearest name if one was misspelt.
  [[nodiscard]] std::expected<Parsed, std::string> parse(int argc, const char* const* argv) const;

  // The same for main(): prints the help or the error, and says with which status to exit (0 after
  // help, 2 after an error). Nothing: go on.
  [[nodiscard]] std::optional<int> parse_main(int argc, const char* const* argv) const;

  // At most 80 columns wide, ends with a newline.
  [[nodiscard]] std::string help() const;

 private:
  using Status = std::expected<void, std::string>;

  [[nodiscard]] const Option* find(std::string_view name) const;
  [[nodiscard]] std::string unknown(std::string_view argument, std::string_view name) const;
  // `next` is the argument behind the option, and is used up if the option takes it.
  [[nodiscard]] Status parse_named(std::string_view argument, const char* const*& next,
                                   const char* const* end) const;
  [[nodiscard]] Status parse_positionals(const std::vector<std::string_view>& arguments) const;

  std::string program_;
  std::string summary_;
  std::vector<Option> table_;
};

}  // namespace support
