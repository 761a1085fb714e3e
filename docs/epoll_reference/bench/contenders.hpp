#pragma once
// The things that are measured. Each owns what it works on (descriptors, a reactor); the errors are
// those of setting that up: EMFILE, ENFILE, ENOMEM, and the network's for the sockets.

#include <cstdint>

#include "common/base/errno.hpp"
#include "docs/epoll_reference/bench/measure.hpp"

namespace epoll_reference {

// --- system_calls.cpp: what a server's speed is made of ------------------------------------------
[[nodiscard]] Contender empty_system_call();
[[nodiscard]] base::Result<Contender> empty_epoll_wait();
[[nodiscard]] base::Result<Contender> epoll_ctl_modify();
// One send and one recv of 64 bytes between two TCP sockets of this process, over loopback.
[[nodiscard]] base::Result<Contender> loopback_send_and_receive();

// --- timers.cpp: beside 10,000 timers that are set -----------------------------------------------
[[nodiscard]] base::Result<Contender> timer_insert_and_cancel();
// A deadline moved to the end, as an idle timeout is when a message has come.
[[nodiscard]] base::Result<Contender> timer_update();

// --- parsing.cpp: a whole head at once -----------------------------------------------------------
[[nodiscard]] Contender parse_short_head();
[[nodiscard]] Contender parse_browser_head();

// --- dispatch.cpp: per event, when `ready` descriptors are ready at once -------------------------
[[nodiscard]] base::Result<Contender> dispatch_by_reactor(std::uint32_t ready);
// The least that there is: epoll_wait and a switch.
[[nodiscard]] base::Result<Contender> dispatch_by_switch(std::uint32_t ready);

}  // namespace epoll_reference
