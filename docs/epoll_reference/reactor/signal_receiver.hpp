#pragma once
// Signals as events: the reactor watches a SignalSource. So a signal is handled between callbacks,
// like everything else.

#include <cstdint>
#include <initializer_list>
#include <optional>

#include "common/base/errno.hpp"
#include "common/support/signal_source.hpp"
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
  std::optional<support::SignalSource> source_;
  Registration registration_;
};

}  // namespace epoll_reference
