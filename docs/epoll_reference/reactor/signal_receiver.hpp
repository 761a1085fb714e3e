#pragma once
// Signals as events: they are blocked, a signalfd collects them, and the reactor watches it. So a
// signal is handled between callbacks, like everything else, and not in the middle of one.

#include <signal.h>

#include <cstdint>
#include <initializer_list>

#include "common/base/errno.hpp"
#include "common/base/unique_fd.hpp"
#include "docs/epoll_reference/reactor/callback.hpp"
#include "docs/epoll_reference/reactor/reactor.hpp"

namespace epoll_reference {

class SignalReceiver {
 public:
  // `on_signal` is called with the signal's number. The reactor must outlive this.
  SignalReceiver(Reactor& reactor, Callback<int> on_signal)
      : reactor_(reactor), on_signal_(on_signal) {}
  SignalReceiver(const SignalReceiver&) = delete;
  SignalReceiver& operator=(const SignalReceiver&) = delete;
  // Restores the mask of signals that was there.
  ~SignalReceiver();

  // Blocks these signals in the calling thread (threads started later inherit that) and receives
  // them. Once, outside of a turn. EMFILE, ENFILE, ENOMEM, and what Reactor::add() returns.
  [[nodiscard]] base::Result<void> start(std::initializer_list<int> signals);

 private:
  void on_readable(std::uint32_t events);

  Reactor& reactor_;
  Callback<int> on_signal_;
  base::UniqueFd fd_;
  Registration registration_;
  sigset_t old_mask_{};
};

}  // namespace epoll_reference
