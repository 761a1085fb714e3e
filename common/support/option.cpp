// The rows of the table: what each kind of option accepts, and what it says that it needs.

#include <algorithm>
#include <cstddef>

#include "common/support/options.hpp"
#include "common/support/quantity.hpp"

namespace support {
namespace {

constexpr const char* kAnyText = "a text that is not empty";

std::string format_time(std::chrono::nanoseconds time) {
  return time.count() == 0 ? "0" : format_quantity(time.count(), kTimeUnits);
}

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
  std::string all;
  for (const std::string& word : words) {
    if (!all.empty()) {
      all += separator;
    }
    all += word;
  }
  return all;
}

}  // namespace

Option Option::flag(std::string_view name, bool* target, std::string_view help) {
  Option option(Kind::Flag, name, help);
  option.default_ = *target ? "on" : "";
  option.store_ = [target](std::string_view text) {
    *target = text != "no";
    return true;
  };
  return option;
}

Option Option::make_integer(std::string_view name, std::int64_t current, std::int64_t min,
                            std::int64_t max, std::string_view help,
                            std::function<void(std::int64_t)> set) {
  Option option(Kind::Value, name, help);
  option.value_name_ = "N";
  option.default_ = std::to_string(current);
  option.needs_ = "a whole number from " + std::to_string(min) + " to " + std::to_string(max);
  option.store_ = [min, max, set = std::move(set)](std::string_view text) {
    const auto value = parse_quantity(text, kNoUnit);
    if (!value || *value < min || *value > max) {
      return false;
    }
    set(*value);
    return true;
  };
  return option;
}

Option Option::make_size(std::string_view name, std::int64_t current, std::int64_t min,
                         std::int64_t max, std::string_view help,
                         std::function<void(std::int64_t)> set) {
  Option option(Kind::Value, name, help);
  option.value_name_ = "SIZE";
  option.default_ = format_quantity(current, kSizeUnits);
  option.needs_ = "a size from " + format_quantity(min, kSizeUnits) + " to " +
                  format_quantity(max, kSizeUnits) + " (bytes, or with K, M or G)";
  option.store_ = [min, max, set = std::move(set)](std::string_view text) {
    const auto value = parse_quantity(text, kSizeUnits);
    if (!value || *value < min || *value > max) {
      return false;
    }
    set(*value);
    return true;
  };
  return option;
}

Option Option::duration(std::string_view name, std::chrono::nanoseconds* target,
                        std::chrono::nanoseconds min, std::chrono::nanoseconds max,
                        std::string_view help) {
  Option option(Kind::Value, name, help);
  option.value_name_ = "TIME";
  option.default_ = format_time(*target);
  option.needs_ = "a time from " + format_time(min) + " to " + format_time(max) +
                  " (with its unit: ns, us, ms, s, min or h)";
  option.store_ = [target, min, max](std::string_view text) {
    const auto value = text == "0" ? std::int64_t{0} : parse_quantity(text, kTimeUnits);
    if (!value || *value < min.count() || *value > max.count()) {
      return false;
    }
    *target = std::chrono::nanoseconds(*value);
    return true;
  };
  return option;
}

Option Option::make_choice(std::string_view name, std::vector<std::string> words,
                           const std::string& current, std::string_view help,
                           std::function<void(std::size_t)> set) {
  Option option(Kind::Value, name, help);
  constexpr std::size_t kShort = 24;
  if (const std::string all = joined(words, "|"); all.size() <= kShort) {
    option.value_name_ = all;
  } else {
    option.value_name_ = "NAME";
    option.help_ += ": " + joined(words, ", ");
  }
  option.default_ = current;
  option.needs_ = "one of " + joined(words, ", ");
  option.store_ = [words = std::move(words), set = std::move(set)](std::string_view text) {
    const auto found = std::ranges::find(words, text);
    if (found == words.end()) {
      return false;
    }
    set(static_cast<std::size_t>(found - words.begin()));
    return true;
  };
  return option;
}

Option Option::text(std::string_view name, std::string_view value_name, std::string* target,
                    std::string_view help) {
  Option option(Kind::Value, name, help);
  option.value_name_ = value_name;
  option.default_ = *target;
  option.needs_ = kAnyText;
  option.store_ = [target](std::string_view text) {
    *target = text;
    return !text.empty();
  };
  return option;
}

Option Option::positional(std::string_view value_name, std::string* target, std::string_view help) {
  Option option = text(value_name, "", target, help);
  option.kind_ = Kind::Positional;
  option.required_ = target->empty();
  return option;
}

Option Option::positional_list(std::string_view value_name, std::vector<std::string>* target,
                               std::string_view help) {
  CHECK(target->empty(), "a list has no default");
  Option option(Kind::PositionalList, value_name, help);
  option.needs_ = kAnyText;
  option.store_ = [target](std::string_view text) {
    target->emplace_back(text);
    return !text.empty();
  };
  return option;
}

}  // namespace support
