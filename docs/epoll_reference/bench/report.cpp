#include "docs/epoll_reference/bench/report.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "common/support/json_writer.hpp"

namespace epoll_reference {
namespace {

// Below the bar or not: the upper end of the interval decides, so that luck does not.
std::optional<bool> is_below_bar(const Contender& contender) {
  const auto interval = support::median_interval(contender.samples_ns);
  if (!contender.bar_ns || !interval) {
    return std::nullopt;
  }
  return interval->high < *contender.bar_ns;
}

std::string interval_text(const std::optional<support::Interval>& interval, int digits) {
  if (!interval) {
    return "-";
  }
  char text[64];
  std::snprintf(text, sizeof text, "[%.*f, %.*f]", digits, interval->low, digits, interval->high);
  return text;
}

std::string bar_text(const Contender& contender) {
  const auto below = is_below_bar(contender);
  if (!below) {
    return "";
  }
  char text[64];
  std::snprintf(text, sizeof text, "%s under %.0f", *below ? "is" : "NOT", *contender.bar_ns);
  return text;
}

void add_interval(support::JsonWriter& json, const std::optional<support::Interval>& interval) {
  json.key("interval_95");
  if (interval) {
    json.begin_array().value(interval->low).value(interval->high).end_array();
  } else {
    json.null();
  }
}

template <class T>
void add_optional(support::JsonWriter& json, const char* name, const std::optional<T>& value) {
  json.key(name);
  if (value) {
    json.value(*value);
  } else {
    json.null();
  }
}

}  // namespace

void print_report(std::span<const Contender> contenders, std::span<const Pairing> pairings) {
  std::size_t width = 0;
  for (const Contender& contender : contenders) {
    width = std::max(width, contender.name.size());
  }
  const int name_width = static_cast<int>(width);
  std::printf("%-*s  %8s  %-18s  %s\n", name_width, "CPU time of one", "ns", "95% interval", "bar");
  for (const Contender& contender : contenders) {
    std::printf("%-*s  %8.1f  %-18s  %s\n", name_width, contender.name.c_str(),
                contender.median_ns(),
                interval_text(support::median_interval(contender.samples_ns), 1).c_str(),
                bar_text(contender).c_str());
  }
  std::printf("\nslice beside slice\n");
  for (const Pairing& pairing : pairings) {
    const support::Comparison result = pairing.result();
    std::printf("%s\n  against %s: %.2f times %s, %+.1f ns an event\n",
                contenders[pairing.ours].name.c_str(), contenders[pairing.reference].name.c_str(),
                result.median_ratio, interval_text(result.interval_95, 2).c_str(),
                pairing.overhead_ns());
  }
}

std::string report_as_json(std::span<const Contender> contenders,
                           std::span<const Pairing> pairings) {
  support::JsonWriter json;
  json.begin_object().member("unit", "ns").key("operations").begin_array();
  for (const Contender& contender : contenders) {
    json.begin_object().member("name", contender.name).member("median", contender.median_ns());
    add_interval(json, support::median_interval(contender.samples_ns));
    add_optional(json, "bar", contender.bar_ns);
    add_optional(json, "below_bar", is_below_bar(contender));
    json.end_object();
  }
  json.end_array().key("comparisons").begin_array();
  for (const Pairing& pairing : pairings) {
    const support::Comparison result = pairing.result();
    json.begin_object();
    json.member("ours", contenders[pairing.ours].name);
    json.member("reference", contenders[pairing.reference].name);
    json.member("ratio", result.median_ratio);
    add_interval(json, result.interval_95);
    json.member("overhead", pairing.overhead_ns()).member("pairs", result.pairs);
    json.member("verdict", support::verdict_name(result.verdict)).end_object();
  }
  json.end_array().end_object();
  return json.finish();
}

}  // namespace epoll_reference
