#pragma once
// The one timer of a connection: set lazily, so that a message costs no timer operation.

#include <cstdint>

#include "common/server/connection.hpp"
#include "common/timers/timer_heap.hpp"

namespace server {

// Sees to it that the timer fires at expires_at_ns() or before. The heap has room for one timer for
// each connection.
void set_timer(timers::TimerHeap& timers, Connection& connection, std::uint32_t slot);

// Nothing fires any more.
void cancel_timer(timers::TimerHeap& timers, Connection& connection);

}  // namespace server
