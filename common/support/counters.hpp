#pragma once
// A struct of counters that can print itself. The struct is plain: `++counters.accepted` is one add,
// and one thread owns it. Its list of names stands beside it, once, for all the ways of printing:
//
//   struct EchoCounters {
//     std::uint64_t accepted = 0;
//     std::uint64_t received_bytes = 0;
//     static constexpr auto list() {
//       return std::to_array<support::Counter<EchoCounters>>(
//           {{"accepted", &EchoCounters::accepted},
//            {"received_bytes", &EchoCounters::received_bytes}});
//     }
//   };
//
// A counter that is missing in the list does not compile.

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/support/json_writer.hpp"

namespace support {

template <class Counters>
struct Counter {
  std::string_view name;
  std::uint64_t Counters::*member;
};

// Nothing but counters is in the struct, so its size says how many the list must have.
template <class Counters>
concept HasCounters =
    sizeof(Counters) == Counters::list().size() * sizeof(std::uint64_t) &&
    std::same_as<typename decltype(Counters::list())::value_type, Counter<Counters>>;

// One line each: the name, padded so that the numbers stand in a column, and the number.
template <HasCounters Counters>
[[nodiscard]] std::string counters_as_text(const Counters& counters) {
  std::size_t width = 0;
  for (const auto& counter : Counters::list()) {
    width = std::max(width, counter.name.size());
  }
  std::string text;
  for (const auto& counter : Counters::list()) {
    text += counter.name;
    text.append(width - counter.name.size() + 2, ' ');
    text += std::to_string(counters.*counter.member);
    text += '\n';
  }
  return text;
}

// As members of the object that is open in `json`.
template <HasCounters Counters>
void write_counters(JsonWriter& json, const Counters& counters) {
  for (const auto& counter : Counters::list()) {
    json.member(counter.name, counters.*counter.member);
  }
}

}  // namespace support
