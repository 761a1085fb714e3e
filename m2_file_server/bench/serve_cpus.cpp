#include "m2_file_server/bench/serve_cpus.hpp"

#include <sched.h>

#include <cstddef>

namespace file_server::serve_bench {

Cpus choose_cpus() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
    return {};  // more CPUs than a cpu_set_t holds
  }
  Cpus cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<std::size_t>(cpu), &allowed)) {
      cpus.server = cpus.server.value_or(cpu);
      cpus.client = cpu;
    }
  }
  return cpus.client && pin_to(*cpus.client) ? cpus : Cpus{};
}

bool pin_to(int cpu) {
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(static_cast<std::size_t>(cpu), &only);
  return ::sched_setaffinity(0, sizeof only, &only) == 0;
}

}  // namespace file_server::serve_bench
