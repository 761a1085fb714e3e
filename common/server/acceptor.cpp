#include "common/server/acceptor.hpp"

#include <sys/socket.h>

#include <utility>

#include "common/base/check.hpp"
#include "common/server/operations.hpp"
#include "common/support/cpu_clock.hpp"
#include "common/uring/prep.hpp"

namespace server {

void Acceptor::start(net::Listener listener, const Sockets& sockets, std::uint32_t limit) {
  CHECK(limit > 0);
  const auto slot = loop_.slots().acquire();
  CHECK(slot, "there is a slot for the listener beside those of the connections");
  slot_ = *slot;
  limit_ = limit;
  listener_ = std::move(listener);
  sockets_ = sockets;
  arm_accept();
}

// [snippet: arm_accept]
void Acceptor::arm_accept() {
  uring::io_uring_sqe& accept = loop_.arm(slot_, kAccept);
  const int flags = SOCK_NONBLOCK | (sockets_.direct ? 0 : SOCK_CLOEXEC);
  if (sockets_.multishot_accept) {
    uring::prep_accept_multishot(accept, listener_.fd.get(), flags);
  } else {
    uring::prep_accept(accept, listener_.fd.get(), nullptr, nullptr, flags);
  }
  if (sockets_.direct) {
    uring::accept_direct(accept);
  }
  armed_ = true;
  ++counters_.accepts;
}
// [/snippet]

// By its user_data, which every kernel can: there is only this one.
uring::io_uring_sqe& Acceptor::arm_cancel() {
  uring::io_uring_sqe& cancel = loop_.arm(slot_, kCancel);
  uring::prep_cancel(cancel, loop::pack(loop_.slots().id(slot_, kAccept)), 0);
  cancelling_ = true;
  return cancel;
}

// [snippet: on_accept]
std::optional<int> Acceptor::on_accept(std::int32_t res, bool is_last) {
  if (is_last) {
    armed_ = false;
    cancelling_ = false;
  }
  if (stopped_) {
    if (res >= 0) {  // it was accepted before the cancel came: too late for this client
      sockets_.prep_close(loop_.arm(slot_, kClose), res);
    }
    return std::nullopt;
  }
  std::optional<int> opened;
  if (res >= 0) {
    opened = admit(res);
  } else {
    on_error(res);
  }
  if (!paused_ && !armed_) {
    arm_accept();
  } else if (paused_ && armed_ && !cancelling_) {
    (void)arm_cancel();
  }
  return opened;
}

std::optional<int> Acceptor::admit(int socket) {
  if (connections_ == limit_ || !early_.empty()) {
    early_.push_back(socket);
    ++counters_.early_accepted;
    return std::nullopt;
  }
  count_in();
  if (connections_ == limit_) {
    pause();
  }
  return socket;
}
// [/snippet]

void Acceptor::count_in() {
  ++connections_;
  ++server_counters_.accepted;
}

// No ACCEPT is in flight afterwards: an error ends a multishot, too.
void Acceptor::on_error(std::int32_t res) {
  switch (kServerPolicy.decide(kAccept, res)) {
    case loop::Action::Retry:
      break;
    case loop::Action::Rearm:
      ++server_counters_.accept_errors;
      break;
    case loop::Action::AwaitDescriptors:
      // KERNEL: of a direct ACCEPT the connection is taken and closed before it says so.
      server_counters_.accept_errors += sockets_.direct ? 1 : 0;
      pause_for_a_while();
      break;
    default:
      stop_on_fatal("ACCEPT", res);
  }
}

// None is armed from here on, and one that is in flight is cancelled: that is all that pausing is.
void Acceptor::pause() {
  paused_ = true;
  ++server_counters_.accept_pauses;
}

void Acceptor::pause_for_a_while() {
  if (paused_) {
    return;  // at the limit: it waits for a connection to close as it is
  }
  pause();
  const auto retry = loop_.timers().add(support::now_ns() + kRetryNs, kAcceptRetryTimer);
  CHECK(retry, "the heap of timers has room for the server's own");
  retry_ = *retry;
}

void Acceptor::resume() {
  paused_ = false;
  loop_.timers().cancel(retry_);
  if (!armed_) {  // else it is being cancelled, and armed again when it has ended
    arm_accept();
  }
}

void Acceptor::on_retry() {
  CHECK(paused_, "resume() and stop() cancel the timer");
  resume();
}

void Acceptor::connection_closed() {
  CHECK(connections_ > 0);
  --connections_;
  if (paused_ && early_.empty()) {
    resume();
  }
}

std::optional<int> Acceptor::take_early() {
  if (early_.empty() || connections_ == limit_) {
    return std::nullopt;
  }
  const int socket = early_.front();
  early_.pop_front();
  count_in();
  if (early_.empty() && connections_ < limit_) {
    resume();
  }
  return socket;
}

void Acceptor::stop() {
  CHECK(!stopped_);
  stopped_ = true;
  loop_.timers().cancel(retry_);
  if (armed_ && !cancelling_) {
    arm_cancel().flags |= uring::IOSQE_IO_HARDLINK;
  }
  paused_ = false;  // a connection that closes resumes nothing
  uring::prep_close(loop_.arm(slot_, kClose), listener_.fd.release());
  loop_.slots().close(slot_);
}

bool Acceptor::close_early() {
  if (early_.empty()) {
    return false;
  }
  sockets_.prep_close(loop_.arm(slot_, kClose), early_.front());
  early_.pop_front();
  return true;
}

}  // namespace server
