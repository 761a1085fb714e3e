#include "docs/epoll_reference/reactor/signal_receiver.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include "common/base/check.hpp"

namespace epoll_reference {

SignalReceiver::~SignalReceiver() {
  if (fd_.valid()) {
    reactor_.remove(registration_);
    CHECK(::pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr) == 0, "fails only on a bad `how`");
  }
}

base::Result<void> SignalReceiver::start(std::initializer_list<int> signals) {
  CHECK(!fd_.valid(), "started twice");
  sigset_t mask;
  ::sigemptyset(&mask);
  for (const int signal : signals) {
    ::sigaddset(&mask, signal);
  }
  base::UniqueFd fd(::signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) {
    return base::fail(base::last_error());
  }
  const auto added =
      reactor_.add(fd.get(), EPOLLIN, IoCallback::to<&SignalReceiver::on_readable>(*this));
  if (!added) {
    return base::fail(added.error());
  }
  CHECK(::pthread_sigmask(SIG_BLOCK, &mask, &old_mask_) == 0, "fails only on a bad `how`");
  registration_ = *added;
  fd_ = std::move(fd);
  return {};
}

// One signal a call: its callback may destroy this object, and more signals make the descriptor
// readable again at once.
void SignalReceiver::on_readable(std::uint32_t /*events*/) {
  signalfd_siginfo info{};
  // The only error that can come of this descriptor is EAGAIN: another one has taken the signal.
  if (::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    on_signal_(static_cast<int>(info.ssi_signo));
  }
}

}  // namespace epoll_reference
