#pragma once
// What a server of files over HTTP counts beside what every server does.

#include <array>
#include <cstdint>

#include "common/support/counters.hpp"

namespace support {

struct HttpCounters {
  std::uint64_t requests = 0;  // that were answered, those that could not be understood included
  std::uint64_t status_2xx = 0;
  std::uint64_t status_3xx = 0;
  std::uint64_t status_4xx = 0;
  std::uint64_t status_5xx = 0;
  std::uint64_t file_bytes = 0;  // of the answers, without their heads
  std::uint64_t broken_off = 0;  // answers that could not be finished: the file changed
  std::uint64_t bodies_skipped = 0;

  static constexpr auto list() {
    return std::to_array<Counter<HttpCounters>>(
        {{"requests", &HttpCounters::requests},
         {"status_2xx", &HttpCounters::status_2xx},
         {"status_3xx", &HttpCounters::status_3xx},
         {"status_4xx", &HttpCounters::status_4xx},
         {"status_5xx", &HttpCounters::status_5xx},
         {"file_bytes", &HttpCounters::file_bytes},
         {"broken_off", &HttpCounters::broken_off},
         {"bodies_skipped", &HttpCounters::bodies_skipped}});
  }

  // An answer with this status, 404 for example.
  void count(unsigned status_code) {
    ++requests;
    switch (status_code / 100) {
      case 2:
        ++status_2xx;
        break;
      case 3:
        ++status_3xx;
        break;
      case 4:
        ++status_4xx;
        break;
      default:
        ++status_5xx;
        break;
    }
  }
};

}  // namespace support
