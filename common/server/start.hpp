#pragma once
// What a server needs before it can serve. An error is a sentence to print before exiting with
// status 2.

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>

#include "common/support/trace.hpp"
#include "common/uring/features.hpp"
#include "common/uring/ring.hpp"

namespace server {

[[nodiscard]] inline std::uint64_t in_ns(std::chrono::nanoseconds time) {
  return static_cast<std::uint64_t>(time.count());
}

// A ring for one server: owned by the calling thread (SINGLE_ISSUER), whose completions are worked
// off when that thread waits for them and not in the middle of a handler (DEFER_TASKRUN, or else
// COOP_TASKRUN), and which goes on behind a bad SQE (SUBMIT_ALL). What the kernel lacks of these is
// left out.
//
// A full CQ loses nothing (NODROP, Linux 5.5): the kernel keeps what does not fit and hands it over
// when there is room. So `cq_entries` need not be as many as there can be operations, one for each
// of ten thousand silent connections: it holds what one turn brings, and the list in the kernel,
// which is allocated entry by entry, is for the worst turn.
//
// `trace`: see uring::Ring; it must outlive the ring.
[[nodiscard]] std::expected<uring::Ring, std::string> create_ring(const uring::Features& features,
                                                                  std::uint32_t sq_entries = 512,
                                                                  std::uint32_t cq_entries = 4096,
                                                                  support::Trace* trace = nullptr);

}  // namespace server
