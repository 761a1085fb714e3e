#pragma once
// Signals as completions. The signals are blocked and a signalfd collects them; the ring polls it.
//
// The ring polls and does not read: before Linux 5.12 io-wq's workers were kernel threads of their
// own, and a read that the ring hands to one waits for signals of the worker, not of the process.
// A poll waits in the context of the task that submitted it on every kernel. On an SQPOLL ring that is
// the kernel's thread, to which a signal sent to the process is visible (kill(1), a terminal, a
// service manager), but not one that was sent to a single thread of ours.

#include <signal.h>

#include <initializer_list>
#include <optional>

#include "common/base/errno.hpp"
#include "common/base/unique_fd.hpp"

namespace loop {

class SignalSource {
 public:
  // Blocks these signals in the calling thread (threads started later inherit that) and collects
  // them. Call it before any other thread is started. EMFILE, ENFILE, ENOMEM.
  [[nodiscard]] static base::Result<SignalSource> create(std::initializer_list<int> signals);

  SignalSource(SignalSource&&) noexcept = default;
  SignalSource& operator=(SignalSource&&) = delete;
  SignalSource(const SignalSource&) = delete;
  SignalSource& operator=(const SignalSource&) = delete;
  // Restores the mask that was there.
  ~SignalSource();

  // The descriptor to poll for POLLIN.
  [[nodiscard]] int fd() const { return fd_.get(); }
  // The next signal that has arrived; nothing if there is none.
  [[nodiscard]] std::optional<int> next() const;

 private:
  SignalSource(base::UniqueFd fd, const sigset_t& old_mask)
      : fd_(std::move(fd)), old_mask_(old_mask) {}

  base::UniqueFd fd_;
  sigset_t old_mask_;
};

}  // namespace loop
