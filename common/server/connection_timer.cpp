#include "common/server/connection_timer.hpp"

#include "common/base/check.hpp"

namespace server {

void set_timer(timers::TimerHeap& timers, Connection& connection, std::uint32_t slot) {
  const std::uint64_t expires_at_ns = connection.expires_at_ns();
  if (expires_at_ns == 0 || (connection.timer_ns != 0 && connection.timer_ns <= expires_at_ns)) {
    return;
  }
  if (connection.timer_ns != 0) {
    timers.update(connection.timer, expires_at_ns);
  } else {
    const auto timer = timers.add(expires_at_ns, slot);
    CHECK(timer, "the heap of timers has room for one for each connection");
    connection.timer = *timer;
  }
  connection.timer_ns = expires_at_ns;
}

void cancel_timer(timers::TimerHeap& timers, Connection& connection) {
  if (connection.timer_ns != 0) {
    timers.cancel(connection.timer);
    connection.timer_ns = 0;
  }
}

}  // namespace server
