#include "docs/epoll_reference/bench/bench.hpp"

#include <fcntl.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/base/errno.hpp"
#include "common/base/unique_fd.hpp"
#include "common/support/options.hpp"
#include "common/support/write_all.hpp"
#include "docs/epoll_reference/bench/contenders.hpp"
#include "docs/epoll_reference/bench/measure.hpp"
#include "docs/epoll_reference/bench/report.hpp"

namespace epoll_reference {
namespace {

struct Plan {
  std::vector<Contender> contenders;
  std::vector<Pairing> pairings;
};

base::Result<Plan> make_plan() {
  Plan plan;
  base::Result<void> set_up;  // the first error
  const auto add = [&](base::Result<Contender> contender) {
    if (contender) {
      plan.contenders.push_back(std::move(*contender));
    } else if (set_up) {
      set_up = base::fail(contender.error());
    }
  };
  add(empty_system_call());
  add(empty_epoll_wait());
  add(epoll_ctl_modify());
  add(loopback_send_and_receive());
  add(timer_insert_and_cancel());
  add(timer_update());
  add(parse_short_head());
  add(parse_browser_head());
  for (const std::uint32_t ready : {1U, 8U, 64U}) {
    const std::size_t ours = plan.contenders.size();
    add(dispatch_by_reactor(ready));
    add(dispatch_by_switch(ready));
    plan.pairings.push_back({.ours = ours, .reference = ours + 1});
  }
  if (!set_up) {
    return base::fail(set_up.error());
  }
  return plan;
}

base::Result<void> write_file(const std::string& path, const std::string& text) {
  const base::UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!fd.valid()) {
    return base::fail(base::last_error());
  }
  return support::write_all(fd.get(), std::as_bytes(std::span(text)));
}

int complain(const std::string& what, base::Errno error) {
  std::fprintf(stderr, "epoll_reference bench: %s: %s (%s)\n", what.c_str(), error.message(),
               error.name());
  return 2;
}

}  // namespace

int run_bench(int argc, char** argv) {
  using namespace std::chrono_literals;
  std::chrono::nanoseconds duration = 3s;
  std::string json_path;
  const support::Options options(
      "epoll_reference bench",
      "Measures what the pieces of the reactor cost, and the system calls around them.",
      {support::Option::duration("duration", &duration, 0s, 1h, "how long to measure"),
       support::Option::text("json", "FILE", &json_path, "write the results there, too")});
  if (const auto exit_status = options.parse_main(argc, argv)) {
    return *exit_status;
  }
  auto plan = make_plan();
  if (!plan) {
    return complain("cannot set up what is to be measured", plan.error());
  }
  measure(plan->contenders, plan->pairings, static_cast<std::uint64_t>(duration.count()));
  print_report(plan->contenders, plan->pairings);
  if (!json_path.empty()) {
    const std::string json = report_as_json(plan->contenders, plan->pairings) + "\n";
    if (const auto written = write_file(json_path, json); !written) {
      return complain("cannot write " + json_path, written.error());
    }
  }
  return 0;
}

}  // namespace epoll_reference
