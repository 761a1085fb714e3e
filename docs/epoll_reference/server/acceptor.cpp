#include "docs/epoll_reference/server/acceptor.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "common/base/check.hpp"

namespace epoll_reference {
namespace {

// There is nothing wrong with the connection: we cannot hold one more.
bool is_shortage(base::Errno error) {
  return error.value == EMFILE || error.value == ENFILE || error.value == ENOBUFS ||
         error.value == ENOMEM;
}

}  // namespace

base::Result<void> Acceptor::start(net::Listener listener, std::uint32_t limit,
                                   bool edge_triggered) {
  CHECK(limit > 0);
  limit_ = limit;
  listener_ = std::move(listener);
  interest_ = EPOLLIN | (edge_triggered ? std::uint32_t{EPOLLET} : 0);
  const auto registration =
      reactor_.add(listener_.fd.get(), interest_, IoCallback::to<&Acceptor::on_readable>(*this));
  if (!registration) {
    return base::fail(registration.error());
  }
  registration_ = *registration;
  return {};
}

void Acceptor::on_readable(std::uint32_t /*events*/) {
  if (!scheduled_) {
    accept_some();
  }
}

// [snippet: accept]
void Acceptor::accept_some() {
  scheduled_ = false;
  for (std::uint32_t i = 0; i < kAcceptsPerTurn && listener_.fd.valid(); ++i) {
    if (connections_ == limit_) {
      return pause();
    }
    const int fd = ::accept4(listener_.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      ++connections_;
      ++counters_.accepted;
      on_accepted_(fd);
      continue;
    }
    const base::Errno error = base::last_error();
    if (error.value == EAGAIN) {
      return;
    }
    if (is_shortage(error)) {
      return pause_for_a_while();
    }
    // What else accept() says is about this one connection (ECONNABORTED, EPROTO, a network that is
    // gone): it is out of the backlog, and the next one may be sound.
    ++counters_.accept_errors;
  }
  if ((interest_ & EPOLLET) != 0 && listener_.fd.valid()) {
    scheduled_ = true;
    reactor_.defer(Callback<>::to<&Acceptor::accept_some>(*this));
  }
}
// [/snippet]

void Acceptor::pause() {
  paused_ = true;
  ++counters_.accept_pauses;
  reactor_.modify(registration_, 0);
}

void Acceptor::pause_for_a_while() {
  pause();
  reactor_.cancel(retry_);
  const auto retry = reactor_.after(kRetryNs, TimerCallback::to<&Acceptor::on_retry>(*this));
  CHECK(retry, "the reactor has room for the server's own timers");
  retry_ = *retry;
}

void Acceptor::resume() {
  paused_ = false;
  // Edge-triggered too: a change of the registration reports what is ready already.
  reactor_.modify(registration_, interest_);
}

void Acceptor::on_retry(Expiry /*expiry*/) {
  if (paused_) {
    resume();
  }
}

void Acceptor::connection_closed() {
  CHECK(connections_ > 0);
  --connections_;
  if (paused_) {
    resume();
  }
}

void Acceptor::stop() {
  if (listener_.fd.valid()) {
    reactor_.remove_for_close(registration_);
    reactor_.cancel(retry_);
    listener_.fd.reset();
    paused_ = false;
  }
}

}  // namespace epoll_reference
