#include "common/support/signal_source.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include "common/base/check.hpp"

namespace support {

base::Result<SignalSource> SignalSource::create(std::initializer_list<int> signals) {
  sigset_t mask;
  ::sigemptyset(&mask);
  for (const int signal : signals) {
    ::sigaddset(&mask, signal);
  }
  base::UniqueFd fd(::signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) {
    return base::fail(base::last_error());
  }
  sigset_t old_mask;
  CHECK(::pthread_sigmask(SIG_BLOCK, &mask, &old_mask) == 0, "fails only on a bad `how`");
  return SignalSource(std::move(fd), old_mask);
}

SignalSource::~SignalSource() {
  if (fd_.valid()) {
    CHECK(::pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr) == 0, "fails only on a bad `how`");
  }
}

std::optional<int> SignalSource::next() const {
  signalfd_siginfo info{};
  // The only error that can come of this descriptor is EAGAIN: no signal is there.
  if (::read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) {
    return std::nullopt;
  }
  return static_cast<int>(info.ssi_signo);
}

}  // namespace support
