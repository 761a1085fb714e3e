#pragma once
// JSON written piece by piece into one string: for the --json outputs.
//
//   JsonWriter json;
//   json.begin_object();
//   json.member("requests", 12).member("verdict", "tie");
//   json.key("ratios").begin_array().value(0.9).value(1.1).end_array();
//   json.end_object();
//   std::string text = json.finish();   // {"requests":12,"verdict":"tie","ratios":[0.9,1.1]}
//
// What is no JSON (a value without its key, an end that fits no begin) is a bug of the caller, and
// a CHECK stops it.

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace support {

class JsonWriter {
 public:
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();

  // What comes next in an object: a value, or the begin of an object or array, must follow.
  JsonWriter& key(std::string_view name);

  // Bytes that are no UTF-8 (a file's name may have them) become U+FFFD each.
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  // The shortest decimal that reads back as the same number. JSON has no infinity and no NaN: null.
  JsonWriter& value(double number);
  JsonWriter& null();

  template <std::integral T>
  JsonWriter& value(T number) {
    if constexpr (std::same_as<T, bool>) {
      return write(number ? "true" : "false");
    } else {
      return write(std::to_string(number));
    }
  }

  template <class T>
  JsonWriter& member(std::string_view name, const T& its_value) {
    return key(name).value(its_value);
  }

  // The whole text, which is one value, without a newline. The writer is empty afterwards.
  [[nodiscard]] std::string finish();

 private:
  enum class Place : std::uint8_t { Object, ObjectValue, Array };

  // Comma, and the check that a value may stand here; then the value itself.
  void begin_value();
  JsonWriter& write(std::string_view literal);
  void begin(char bracket, Place place);
  void end(char bracket, Place place);
  void append_quoted(std::string_view text);

  std::string text_;
  std::vector<Place> open_;   // from the outermost to the innermost
  bool needs_comma_ = false;  // something precedes in the innermost one
};

}  // namespace support
