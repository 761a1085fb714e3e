#pragma once
// What the file server counts of its reads and buffers.

#include <array>
#include <cstdint>

#include "common/support/counters.hpp"

namespace file_server {

struct FileServerCounters {
  std::uint64_t reads = 0;            // requests to the kernel
  std::uint64_t short_reads = 0;      // of them: gave less than was asked for, and the file went on
  std::uint64_t reads_in_flight = 0;  // now
  std::uint64_t reads_in_flight_max = 0;  // so far
  std::uint64_t answers_redone = 0;       // the file changed, and nothing had been sent
  std::uint64_t sends_blocked = 0;        // times that a socket took no more
  std::uint64_t buffer_waits = 0;         // times that an answer had to wait for a buffer
  std::uint64_t buffers_taken_back = 0;   // from answers whose client did not read
  std::uint64_t direct_fallbacks = 0;     // files that were opened without O_DIRECT after all

  static constexpr auto list() {
    return std::to_array<support::Counter<FileServerCounters>>(
        {{"reads", &FileServerCounters::reads},
         {"short_reads", &FileServerCounters::short_reads},
         {"reads_in_flight", &FileServerCounters::reads_in_flight},
         {"reads_in_flight_max", &FileServerCounters::reads_in_flight_max},
         {"answers_redone", &FileServerCounters::answers_redone},
         {"sends_blocked", &FileServerCounters::sends_blocked},
         {"buffer_waits", &FileServerCounters::buffer_waits},
         {"buffers_taken_back", &FileServerCounters::buffers_taken_back},
         {"direct_fallbacks", &FileServerCounters::direct_fallbacks}});
  }
};

// The buffers by state, counted when the report is printed.
struct BufferCounters {
  std::uint64_t buffers_free = 0;
  std::uint64_t buffers_reading = 0;
  std::uint64_t buffers_filled = 0;
  std::uint64_t buffers_sending = 0;

  static constexpr auto list() {
    return std::to_array<support::Counter<BufferCounters>>(
        {{"buffers_free", &BufferCounters::buffers_free},
         {"buffers_reading", &BufferCounters::buffers_reading},
         {"buffers_filled", &BufferCounters::buffers_filled},
         {"buffers_sending", &BufferCounters::buffers_sending}});
  }
};

}  // namespace file_server
