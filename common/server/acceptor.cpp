#include "common/server/acceptor.hpp"

#include <sys/socket.h>

#include <utility>

#include "common/base/check.hpp"
#include "common/server/operations.hpp"
#include "common/support/cpu_clock.hpp"
#include "common/uring/prep.hpp"

namespace server {

void Acceptor::start(net::Listener listener, std::uint32_t limit) {
  CHECK(limit > 0);
  const auto slot = loop_.slots().acquire();
  CHECK(slot, "there is a slot for the listener beside those of the connections");
  slot_ = *slot;
  limit_ = limit;
  listener_ = std::move(listener);
  arm_accept();
}

void Acceptor::arm_accept() {
  uring::prep_accept(loop_.arm(slot_, kAccept), listener_.fd.get(), nullptr, nullptr,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);
}

std::optional<int> Acceptor::on_accept(std::int32_t res) {
  if (stopped_) {
    if (res >= 0) {  // it was accepted before the cancel came: too late for this client
      uring::prep_close(loop_.arm(slot_, kClose), res);
    }
    return std::nullopt;
  }
  if (res >= 0) {
    ++connections_;
    ++counters_.accepted;
    arm_unless_full();
    return res;
  }
  switch (kServerPolicy.decide(kAccept, res)) {
    case loop::Action::Retry:
      arm_accept();
      break;
    case loop::Action::Rearm:
      ++counters_.accept_errors;
      arm_accept();
      break;
    case loop::Action::AwaitDescriptors:
      pause_for_a_while();
      break;
    default:
      stop_on_fatal("ACCEPT", res);
  }
  return std::nullopt;
}

void Acceptor::arm_unless_full() {
  if (connections_ == limit_) {
    pause();
  } else {
    arm_accept();
  }
}

// No ACCEPT is in flight from here on: that is all that pausing is.
void Acceptor::pause() {
  paused_ = true;
  ++counters_.accept_pauses;
}

void Acceptor::pause_for_a_while() {
  pause();
  const auto retry = loop_.timers().add(support::now_ns() + kRetryNs, kAcceptRetryTimer);
  CHECK(retry, "the heap of timers has room for the server's own");
  retry_ = *retry;
}

void Acceptor::resume() {
  paused_ = false;
  loop_.timers().cancel(retry_);
  arm_accept();
}

void Acceptor::on_retry() {
  CHECK(paused_, "resume() and stop() cancel the timer");
  resume();
}

void Acceptor::connection_closed() {
  CHECK(connections_ > 0);
  --connections_;
  if (paused_) {
    resume();
  }
}

void Acceptor::stop() {
  CHECK(!stopped_);
  stopped_ = true;
  loop_.timers().cancel(retry_);
  if (!paused_) {
    // By its user_data, which every kernel can: there is only this one.
    uring::io_uring_sqe& cancel = loop_.arm(slot_, kCancel);
    uring::prep_cancel(cancel, loop::pack(loop_.slots().id(slot_, kAccept)), 0);
    cancel.flags |= uring::IOSQE_IO_HARDLINK;
  }
  paused_ = false;
  uring::prep_close(loop_.arm(slot_, kClose), listener_.fd.release());
  loop_.slots().close(slot_);
}

}  // namespace server
