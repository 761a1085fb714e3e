#include "docs/epoll_reference/reactor/signal_receiver.hpp"

#include <utility>

#include "common/base/check.hpp"

namespace epoll_reference {

SignalReceiver::~SignalReceiver() {
  if (source_) {
    reactor_.remove(registration_);
  }
}

base::Result<void> SignalReceiver::start(std::initializer_list<int> signals) {
  CHECK(!source_, "started twice");
  auto source = support::SignalSource::create(signals);
  if (!source) {
    return base::fail(source.error());
  }
  const auto added =
      reactor_.add(source->fd(), EPOLLIN, IoCallback::to<&SignalReceiver::on_readable>(*this));
  if (!added) {
    return base::fail(added.error());
  }
  registration_ = *added;
  source_.emplace(std::move(*source));
  return {};
}

// One signal a call: its callback may destroy this object, and more signals make the descriptor
// readable again at once. There is none if another one has taken it.
void SignalReceiver::on_readable(std::uint32_t /*events*/) {
  if (const auto signal = source_->next()) {
    on_signal_(*signal);
  }
}

}  // namespace epoll_reference
