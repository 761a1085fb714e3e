#include "m2_file_server/bench/serve_measure.hpp"

#include <optional>
#include <utility>

#include "common/support/cpu_clock.hpp"

namespace file_server::serve_bench {
namespace {

constexpr double kNsPerSecond = 1e9;

// One of the two, and what it has shown so far.
struct Side {
  const ServerProcess& server;
  Load load;
  ServerFigures figures;
};

std::expected<Side, std::string> make_side(const ServerProcess& server, const DuelPlan& plan,
                                           int interrupt_fd) {
  auto load = Load::create({.server_name = server.name,
                            .server = server.address,
                            .connections = plan.connections,
                            .clients = plan.clients},
                           *plan.file, interrupt_fd);
  if (!load) {
    return std::unexpected(load.error());
  }
  Side side{.server = server, .load = std::move(*load), .figures = {}};
  side.figures.name = server.name;
  return side;
}

void add(ServerFigures& figures, const LoadSlice& slice, std::uint64_t cpu_ns) {
  const auto requests = static_cast<double>(slice.requests);
  figures.samples.push_back(
      {.requests_per_second = requests * kNsPerSecond / static_cast<double>(slice.elapsed_ns),
       .cpu_ns_per_request = static_cast<double>(cpu_ns) / requests,
       .p50_ns = static_cast<double>(slice.latency_ns.percentile(50)),
       .p99_ns = static_cast<double>(slice.latency_ns.percentile(99))});
  figures.requests += slice.requests;
  figures.elapsed_ns += slice.elapsed_ns;
  figures.cpu_ns += cpu_ns;
  figures.latency_ns.merge(slice.latency_ns);
}

// Nothing, or what went wrong.
std::optional<std::string> run_slice(Side& side, std::uint64_t slice_ns) {
  const auto before_ns = support::process_cpu_ns(side.server.child.pid());
  auto slice = side.load.run(slice_ns);
  const auto after_ns = support::process_cpu_ns(side.server.child.pid());
  if (!slice) {
    return slice.error();
  }
  if (!before_ns || !after_ns) {
    return side.server.name + ": its process cannot be watched";
  }
  add(side.figures, *slice, *after_ns - *before_ns);
  return std::nullopt;
}

}  // namespace

double ServerFigures::requests_per_second() const {
  return static_cast<double>(requests) * kNsPerSecond / static_cast<double>(elapsed_ns);
}

double ServerFigures::cpu_ns_per_request() const {
  return static_cast<double>(cpu_ns) / static_cast<double>(requests);
}

support::Comparison Duel::compare(double Sample::*value, support::Better better) const {
  std::vector<double> our_values;
  std::vector<double> other_values;
  for (std::size_t i = 0; i < ours.samples.size(); ++i) {
    our_values.push_back(ours.samples[i].*value);
    other_values.push_back(other.samples[i].*value);
  }
  return support::compare_pairs(our_values, other_values, better);
}

std::expected<Duel, std::string> measure_duel(const ServerProcess& ours, const ServerProcess& other,
                                              const DuelPlan& plan, const Slices& slices,
                                              int interrupt_fd) {
  auto our_side = make_side(ours, plan, interrupt_fd);
  auto other_side = make_side(other, plan, interrupt_fd);
  for (const auto* side : {&our_side, &other_side}) {
    if (!*side) {
      return std::unexpected(side->error());
    }
  }
  for (Side* side : {&*our_side, &*other_side}) {
    if (auto warm = side->load.run(slices.slice_ns); !warm) {
      return std::unexpected(warm.error());
    }
  }
  for (std::uint32_t pair = 0; pair < slices.pairs; ++pair) {
    const bool ours_first = pair % 2 == 0;
    for (const bool is_ours : {ours_first, !ours_first}) {
      if (auto problem = run_slice(is_ours ? *our_side : *other_side, slices.slice_ns)) {
        return std::unexpected(std::move(*problem));
      }
    }
  }
  for (Side* side : {&*our_side, &*other_side}) {
    side->figures.clients_answered = side->load.clients_answered();
  }
  return Duel{
      .plan = plan, .ours = std::move(our_side->figures), .other = std::move(other_side->figures)};
}

}  // namespace file_server::serve_bench
