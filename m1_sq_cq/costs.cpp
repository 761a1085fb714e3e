// What things cost on this machine: a system call, a NOP in batches, a write, a read. First what is
// to be expected, from the price of a system call; then what was measured.
//
//   costs_contenders  the things that are measured
//   costs_measure     slices, pairs, the clock
//   costs.cpp         the expectation, the tables, JSON
//
// What must hold: a verdict is about the interval of paired ratios, never about two medians.
// Timings decide no exit status: it is 0 when everything could be measured.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "common/support/json_writer.hpp"
#include "common/support/options.hpp"
#include "m1_sq_cq/bit_names.hpp"
#include "m1_sq_cq/costs_contenders.hpp"
#include "m1_sq_cq/costs_measure.hpp"
#include "m1_sq_cq/narrator.hpp"
#include "m1_sq_cq/table.hpp"
#include "m1_sq_cq/text.hpp"

namespace m1 {

namespace {

constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
// The batch at which one thing is switched on and off.
constexpr std::uint32_t kComparedBatch = 32;

struct CostsOptions {
  bool json = false;
  bool quick = false;
  std::uint64_t seconds = 8;

  [[nodiscard]] std::uint64_t total_ns() const { return (quick ? 1 : seconds) * kNsPerSecond; }
  [[nodiscard]] std::uint64_t slice_ns() const { return quick ? 300'000 : 1'000'000; }
};

// What four small measurements say about the rest. The model: io_uring_enter is one system call,
// whatever the batch, so each request bears its own cost and its share of that one call.
struct Expectation {
  double system_call_ns = 0;
  double enter_ns = 0;  // one that submits nothing and waits for nothing
  double nop_ns = 0;    // of a NOP alone, without its share of the enter
  double write_ns = 0;  // write(2) to /dev/null, its system call included

  [[nodiscard]] double nop_in_batch_ns(std::uint32_t batch) const {
    return nop_ns + enter_ns / batch;
  }
  [[nodiscard]] double ring_write_in_batch_ns(std::uint32_t batch) const {
    return nop_in_batch_ns(batch) + std::max(write_ns - system_call_ns, 0.0);
  }
};

base::Result<Expectation> expect(CostsContenders& all, std::uint64_t slice_ns) {
  Expectation expectation;
  double large_batch_ns = 0;
  const auto into = [&](Contender contender, double& target) -> base::Result<void> {
    const auto ns = measure_alone(contender, slice_ns);
    target = ns.value_or(0);
    return base::without_value(ns);
  };
  for (const auto& measured : {into(all.empty_system_call(), expectation.system_call_ns),
                               into(all.empty_enter(), expectation.enter_ns),
                               into(all.nops(CostsContenders::kLargestBatch), large_batch_ns),
                               into(all.writes(), expectation.write_ns)}) {
    if (!measured) {
      return base::fail(measured.error());
    }
  }
  expectation.nop_ns = large_batch_ns - expectation.enter_ns / CostsContenders::kLargestBatch;
  return expectation;
}

struct Plan {
  std::vector<Contender> contenders;
  std::vector<Pairing> pairings;

  std::size_t add(Contender contender) {
    contenders.push_back(std::move(contender));
    return contenders.size() - 1;
  }
  void pair(std::size_t ours, std::size_t reference, std::string difference,
            std::optional<double> expected_ratio = {}) {
    pairings.push_back({.ours = ours,
                        .reference = reference,
                        .difference = std::move(difference),
                        .expected_ratio = expected_ratio});
  }
};

Plan make_plan(CostsContenders& all, const Expectation& expectation) {
  Plan plan;
  const std::size_t system_call = plan.add(all.empty_system_call());
  std::size_t untraced = 0;
  for (const std::uint32_t batch : {1U, 8U, 32U, 128U}) {
    const std::size_t nop = plan.add(all.nops(batch));
    untraced = batch == kComparedBatch ? nop : untraced;
    plan.pair(nop, system_call,
              "NOP: a batch shares one system call, and each is taken from the SQ, carried out and "
              "posted to the CQ",
              expectation.nop_in_batch_ns(batch) / expectation.system_call_ns);
  }
  const std::size_t write = plan.add(all.writes());
  std::size_t unregistered = 0;
  for (const std::uint32_t batch : {1U, 32U, 128U}) {
    const std::size_t ring_write = plan.add(all.ring_writes(batch, false));
    unregistered = batch == kComparedBatch ? ring_write : unregistered;
    plan.pair(
        ring_write, write,
        "WRITE: a batch shares one system call, and each is a request whose descriptor is looked "
        "up; to /dev/null the write itself is next to nothing beside that",
        expectation.ring_write_in_batch_ns(batch) / expectation.write_ns);
  }
  plan.pair(plan.add(all.ring_writes(kComparedBatch, true)), unregistered,
            "Fixed file: the ring has a table of files of its own, and looks up no descriptor");
  using Reads = CostsContenders::Reads;
  const std::size_t cached = plan.add(all.reads(Reads::Buffered, false));
  plan.pair(
      plan.add(all.reads(Reads::Buffered, true)), cached,
      "READ_FIXED from the page cache: the bytes are copied either way, into pages that are pinned "
      "or that are not");
  if (!all.why_not_direct()) {
    const std::size_t direct = plan.add(all.reads(Reads::Direct, false));
    plan.pair(plan.add(all.reads(Reads::Direct, true)), direct,
              "READ_FIXED with O_DIRECT: READ looks its page up and pins it each time, READ_FIXED "
              "did so once");
  }
  plan.pair(plan.add(all.traced_nops(kComparedBatch)), untraced,
            "Traced: with --trace, each SQE, CQE and move of an index is a record of 32 bytes with "
            "its time");
  return plan;
}

// --- telling -------------------------------------------------------------------------------------

std::string interval_text(const std::optional<support::Interval>& interval, int digits) {
  return interval ? text("[%.*f, %.*f]", digits, interval->low, digits, interval->high)
                  : "too few slices";
}

// Three decimals tell 1.001 from 1. A ratio of 10, which a disturbed slice can bring, needs fewer, and has
// no more columns.
std::string ratio_interval_text(const std::optional<support::Interval>& interval) {
  constexpr int kDigits = 3;
  constexpr double kTen = 10;
  constexpr double kHundred = 100;
  const double high = interval ? interval->high : 0;
  return interval_text(interval, kDigits - (high >= kTen ? 1 : 0) - (high >= kHundred ? 1 : 0));
}

void tell_expectation(Narrator& out, const Expectation& expectation) {
  out.section("What to expect");
  out.say(
      "An empty system call (getppid) costs %.0f ns of CPU on this machine, an io_uring_enter "
      "with nothing to do %.0f ns, and a NOP in a batch of %u costs %.0f ns besides its share "
      "of that.",
      expectation.system_call_ns, expectation.enter_ns, CostsContenders::kLargestBatch,
      expectation.nop_ns);
  out.say("So a NOP should cost %.0f + %.0f / batch ns: %.0f alone, %.0f in a batch of 32.",
          expectation.nop_ns, expectation.enter_ns, expectation.nop_in_batch_ns(1),
          expectation.nop_in_batch_ns(32));
  out.say(
      "write(2) to /dev/null costs %.0f ns, most of it the system call. By the ring it should "
      "cost %.0f alone and %.0f in a batch of 32: %.2f times and %.2f times as much.",
      expectation.write_ns, expectation.ring_write_in_batch_ns(1),
      expectation.ring_write_in_batch_ns(32),
      expectation.ring_write_in_batch_ns(1) / expectation.write_ns,
      expectation.ring_write_in_batch_ns(32) / expectation.write_ns);
}

void tell_costs(Narrator& out, const Plan& plan) {
  out.section("CPU time per operation");
  Table table({{"operation"},
               {"median ns", Table::Align::Right},
               {"95% interval", Table::Align::Right},
               {"slices", Table::Align::Right}});
  for (const Contender& contender : plan.contenders) {
    table.row({contender.name, text("%.1f", support::median(contender.samples_ns)),
               interval_text(support::median_interval(contender.samples_ns), 1),
               std::to_string(contender.samples_ns.size())});
  }
  table.print();
}

// Where the expectation was wrong by more than a quarter.
void tell_surprises(Narrator& out, const Plan& plan) {
  bool any = false;
  for (const Pairing& pairing : plan.pairings) {
    const double ratio = pairing.result().median_ratio;
    if (!pairing.expected_ratio || std::abs(ratio / *pairing.expected_ratio - 1) < 0.25) {
      continue;
    }
    if (!any) {
      out.section("Not as expected");
      out.say(
          "The expectation knows the price of a system call and of a NOP. What else a request "
          "costs shows here:");
      any = true;
    }
    out.say("%s: expected %.2f, measured %.2f.", plan.contenders[pairing.ours].name.c_str(),
            *pairing.expected_ratio, ratio);
  }
}

void tell_comparisons(Narrator& out, const Plan& plan) {
  out.section("Compared, slice beside slice: how much of the other's time it takes");
  Table table({{"operation"},
               {"against"},
               {"expected", Table::Align::Right},
               {"ratio", Table::Align::Right},
               {"95% interval", Table::Align::Right},
               {"verdict"}});
  for (const Pairing& pairing : plan.pairings) {
    const support::Comparison result = pairing.result();
    table.row({plan.contenders[pairing.ours].name, plan.contenders[pairing.reference].name,
               pairing.expected_ratio ? text("%.2f", *pairing.expected_ratio) : "-",
               text("%.2f", result.median_ratio), ratio_interval_text(result.interval_95),
               support::verdict_name(result.verdict)});
  }
  table.print();
  out.section("What differs");
  std::string_view said;
  for (const Pairing& pairing : plan.pairings) {
    if (pairing.difference != said) {
      said = pairing.difference;
      out.say("%s.", pairing.difference.c_str());
    }
  }
  tell_surprises(out, plan);
}

// --- JSON ----------------------------------------------------------------------------------------

void add_interval(support::JsonWriter& json, std::string_view name,
                  const std::optional<support::Interval>& interval) {
  json.key(name);
  if (!interval) {
    json.null();
    return;
  }
  json.begin_array().value(interval->low).value(interval->high).end_array();
}

std::string as_json(const Plan& plan, const Expectation& expectation, const CostsContenders& all,
                    const PinnedToOneCpu& pinned) {
  support::JsonWriter json;
  json.begin_object();
  json.member("clock", "process CPU time").member("unit", "ns");
  json.member("setup_flags", all.setup_flags());
  json.member("registered_ring_fd", all.uses_registered_fd());
  json.key("pinned_to_cpu");
  if (pinned.cpu()) {
    json.value(*pinned.cpu());
  } else {
    json.null();
  }
  json.key("expected").begin_object();
  json.member("system_call_ns", expectation.system_call_ns);
  json.member("empty_enter_ns", expectation.enter_ns);
  json.member("nop_ns", expectation.nop_ns).member("write_ns", expectation.write_ns);
  json.end_object();
  json.key("operations").begin_array();
  for (const Contender& contender : plan.contenders) {
    json.begin_object().member("name", contender.name);
    json.member("median_ns", support::median(contender.samples_ns));
    add_interval(json, "interval_95_ns", support::median_interval(contender.samples_ns));
    json.member("slices", contender.samples_ns.size());
    json.member("operations_per_slice", contender.operations_per_slice).end_object();
  }
  json.end_array().key("comparisons").begin_array();
  for (const Pairing& pairing : plan.pairings) {
    const support::Comparison result = pairing.result();
    json.begin_object().member("operation", plan.contenders[pairing.ours].name);
    json.member("against", plan.contenders[pairing.reference].name);
    json.member("difference", pairing.difference).key("expected_ratio");
    if (pairing.expected_ratio) {
      json.value(*pairing.expected_ratio);
    } else {
      json.null();
    }
    json.member("median_ratio", result.median_ratio);
    add_interval(json, "interval_95", result.interval_95);
    json.member("pairs", result.pairs);
    json.member("verdict", support::verdict_name(result.verdict)).end_object();
  }
  json.end_array().key("left_out").begin_array();
  if (all.why_not_direct()) {
    json.value(*all.why_not_direct());
  }
  json.end_array().end_object();
  return json.finish();
}

Status complain(const std::string& sentence) {
  std::fprintf(stderr, "m1_sq_cq costs: %s\n", sentence.c_str());
  return Status::Failed;
}

Status complain(const char* what, base::Errno error) {
  return complain(text("cannot measure %s: %s (%s)", what, error.name(), error.message()));
}

Status run_costs(const LessonContext& context, const CostsOptions& options) {
  const PinnedToOneCpu pinned;
  const auto all = CostsContenders::create(context.features);
  if (!all) {
    return complain(all.error());
  }
  const auto expectation = expect(**all, options.slice_ns());
  if (!expectation) {
    return complain("what to expect", expectation.error());
  }
  Plan plan = make_plan(**all, *expectation);
  if (options.json) {
    const auto measured =
        measure(plan.contenders, plan.pairings, options.slice_ns(), options.total_ns());
    if (!measured) {
      return complain("it", measured.error());
    }
    std::puts(as_json(plan, *expectation, **all, pinned).c_str());
    return Status::Ok;
  }

  Narrator out("costs");
  out.say("The ring: %s, descriptor %sregistered. %s",
          setup_flag_names((*all)->setup_flags()).c_str(),
          (*all)->uses_registered_fd() ? "" : "not ",
          pinned.cpu() ? text("All on CPU %d.", *pinned.cpu()).c_str()
                       : "Not pinned to one CPU: that is not allowed here.");
  tell_expectation(out, *expectation);
  std::fflush(stdout);  // said before it is measured
  const auto measured =
      measure(plan.contenders, plan.pairings, options.slice_ns(), options.total_ns());
  if (!measured) {
    return complain("it", measured.error());
  }
  tell_costs(out, plan);
  tell_comparisons(out, plan);
  if ((*all)->why_not_direct()) {
    out.section("Left out");
    out.say("Reads with O_DIRECT: %s.", (*all)->why_not_direct()->c_str());
  }
  return out.status();
}

}  // namespace

Status tour_costs(const LessonContext& context) {
  return run_costs(context, {.quick = true});
}

Status lesson_costs(const LessonContext& context) {
  CostsOptions costs;
  const support::Options options(
      "m1_sq_cq costs", "Measures what system calls and requests cost on this machine.",
      {support::Option::flag("json", &costs.json, "print one JSON object and nothing else"),
       support::Option::flag("quick", &costs.quick, "measure for one second"),
       support::Option::integer("seconds", &costs.seconds, 1, 3600, "how long to measure")});
  std::vector<const char*> words = {"m1_sq_cq costs"};
  words.insert(words.end(), context.args.begin(), context.args.end());
  if (const auto status = options.parse_main(static_cast<int>(words.size()), words.data())) {
    return Status{*status};
  }
  return run_costs(context, costs);
}

}  // namespace m1
