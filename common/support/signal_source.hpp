#pragma once
// Signals as something to read: they are blocked, and a signalfd collects them. So a signal is
// handled between two other pieces of work, and not in the middle of one.

#include <signal.h>

#include <initializer_list>
#include <optional>
#include <utility>

#include "common/base/errno.hpp"
#include "common/base/unique_fd.hpp"

namespace support {

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

  // The descriptor to watch for POLLIN.
  [[nodiscard]] int fd() const { return fd_.get(); }
  // The next signal that has arrived; nothing if there is none.
  [[nodiscard]] std::optional<int> next() const;

 private:
  SignalSource(base::UniqueFd fd, const sigset_t& old_mask)
      : fd_(std::move(fd)), old_mask_(old_mask) {}

  base::UniqueFd fd_;
  sigset_t old_mask_;
};

}  // namespace support
