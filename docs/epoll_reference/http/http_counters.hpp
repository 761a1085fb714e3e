#pragma once
// What this file server counts beside support::HttpCounters: how it gets its work done.

#include <array>
#include <cstdint>

#include "common/support/counters.hpp"

namespace epoll_reference {

struct HttpWorkCounters {
  std::uint64_t sendfile_calls = 0;
  std::uint64_t turns_used_up = 0;  // times that a client had to wait for its next turn

  static constexpr auto list() {
    return std::to_array<support::Counter<HttpWorkCounters>>(
        {{"sendfile_calls", &HttpWorkCounters::sendfile_calls},
         {"turns_used_up", &HttpWorkCounters::turns_used_up}});
  }
};

}  // namespace epoll_reference
