#include "common/server/start.hpp"

#include "common/uring/denied.hpp"

namespace server {

std::expected<uring::Ring, std::string> create_ring(const uring::Features& features,
                                                    std::uint32_t sq_entries,
                                                    std::uint32_t cq_entries,
                                                    support::Trace* trace) {
  auto ring = uring::Ring::create(
      {.sq_entries = sq_entries,
       .cq_entries = cq_entries,
       .setup_flags = uring::IORING_SETUP_SINGLE_ISSUER | uring::IORING_SETUP_DEFER_TASKRUN |
                      uring::IORING_SETUP_COOP_TASKRUN | uring::IORING_SETUP_SUBMIT_ALL,
       .trace = trace},
      features);
  if (!ring) {
    return std::unexpected(uring::explain_setup_failure(ring.error()));
  }
  return std::move(*ring);
}

}  // namespace server
