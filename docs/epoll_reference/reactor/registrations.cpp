#include "docs/epoll_reference/reactor/registrations.hpp"

#include <sys/epoll.h>

#include <cerrno>
#include <utility>

#include "common/base/check.hpp"

namespace epoll_reference {
namespace {

// EPOLLONESHOT would disarm a registration behind our back, and EPOLLEXCLUSIVE forbids
// EPOLL_CTL_MOD.
constexpr std::uint32_t kUnsupported = EPOLLONESHOT | EPOLLEXCLUSIVE;

constexpr std::uint64_t pack(std::uint32_t slot, std::uint32_t generation) {
  return std::uint64_t{generation} << 32 | slot;
}

}  // namespace

Registrations::Registrations(base::UniqueFd epoll, std::uint32_t capacity)
    : epoll_(std::move(epoll)), slots_(capacity) {
  CHECK(capacity < kNoSlot, "the last number means none");
  queued_.reserve(capacity);
  applying_.reserve(capacity);
  for (std::uint32_t number = capacity; number > 0; --number) {
    slots_[number - 1].next_free = std::exchange(first_free_, number - 1);
  }
}

base::Result<Registration> Registrations::add(int fd, std::uint32_t events, IoCallback callback) {
  CHECK((events & kUnsupported) == 0);
  CHECK(bool{callback}, "somebody must be called");
  if (first_free_ == kNoSlot) {
    return base::fail(ENOBUFS);
  }
  const std::uint32_t number = first_free_;
  Slot& slot = slots_[number];
  first_free_ = slot.next_free;
  ++size_;
  slot.callback = callback;
  slot.fd = fd;
  slot.wanted = events;
  slot.state = State::Unknown;
  enqueue(number);
  return Registration{.slot = number, .generation = slot.generation};
}

bool Registrations::modify(Registration registration, std::uint32_t events) {
  CHECK((events & kUnsupported) == 0);
  Slot* slot = current(registration);
  if (slot == nullptr) {
    return false;
  }
  slot->wanted = events;
  if (slot->told != events) {
    enqueue(registration.slot);
  }
  return true;
}

bool Registrations::remove(Registration registration) {
  Slot* slot = current(registration);
  if (slot == nullptr) {
    return false;
  }
  end(*slot);
  if (slot->state == State::Watched) {
    slot->state = State::Removing;
    enqueue(registration.slot);
  } else {
    free(registration.slot);
  }
  return true;
}

bool Registrations::remove_for_close(Registration registration) {
  Slot* slot = current(registration);
  if (slot == nullptr) {
    return false;
  }
  end(*slot);
  free(registration.slot);
  return true;
}

void Registrations::apply(Delegate<void(IoCallback, base::Errno)> refused) {
  std::swap(queued_, applying_);
  // Removals first: a number that was closed and used again must not lose its new registration.
  for (std::uint32_t& number : applying_) {
    if (slots_[number].state == State::Removing) {
      tell_removal(number);
      number = kNoSlot;
    }
  }
  for (const std::uint32_t number : applying_) {
    if (number == kNoSlot) {
      continue;
    }
    const IoCallback callback = slots_[number].callback;
    if (const auto told = tell(number); !told) {
      refused(callback, told.error());
    }
  }
  applying_.clear();
}

base::Result<void> Registrations::apply_only(Registration registration) {
  std::erase(queued_, registration.slot);
  return tell(registration.slot);
}

void Registrations::enqueue(std::uint32_t number) {
  Slot& slot = slots_[number];
  if (!slot.queued) {
    slot.queued = true;
    queued_.push_back(number);
  }
}

// From here on the handle is stale, and so is every event of it that the kernel has reported.
void Registrations::end(Slot& slot) {
  ++slot.generation;
  if (slot.generation == 0) {
    slot.generation = 1;  // 0 is the default handle's, which names nothing
  }
  --size_;
}

// It may still be in the queue: there it says nothing while it is free, and speaks for its next
// owner afterwards.
void Registrations::free(std::uint32_t number) {
  Slot& slot = slots_[number];
  slot.state = State::Free;
  slot.callback = {};
  slot.told = kMustTell;
  slot.next_free = std::exchange(first_free_, number);
}

base::Result<void> Registrations::control(int operation, std::uint32_t number) {
  const Slot& slot = slots_[number];
  epoll_event event{};
  event.events = slot.wanted;
  event.data.u64 = pack(number, slot.generation);
  ++epoll_ctl_calls_;
  if (::epoll_ctl(epoll_.get(), operation, slot.fd, &event) != 0) {
    return base::fail(base::last_error());
  }
  return {};
}

base::Result<void> Registrations::tell(std::uint32_t number) {
  Slot& slot = slots_[number];
  slot.queued = false;
  base::Result<void> told;
  switch (slot.state) {
    case State::Free:
      return {};
    case State::Removing:  // by the callback of one that was refused, in this very queue
      tell_removal(number);
      return {};
    case State::Unknown:
      told = control(EPOLL_CTL_ADD, number);
      if (!told && told.error().value == EEXIST) {
        // The set is keyed by number and open file. This pair is there already if its descriptor
        // was closed unknown to us while a duplicate kept the file open, and dup2() has brought the
        // file back under the old number.
        told = control(EPOLL_CTL_MOD, number);
      }
      break;
    case State::Watched:
      if (slot.told == slot.wanted) {
        return {};
      }
      told = control(EPOLL_CTL_MOD, number);
      if (!told && told.error().value == ENOENT) {
        // The descriptor was closed, which took it out of the set, and its number means another
        // file now: a client that connects again, a dup2() over it. Its owner wants that watched.
        told = control(EPOLL_CTL_ADD, number);
      }
      break;
  }
  if (!told) {
    end(slot);
    free(number);
    return told;
  }
  slot.state = State::Watched;
  slot.told = slot.wanted;
  return {};
}

void Registrations::tell_removal(std::uint32_t number) {
  slots_[number].queued = false;
  if (const auto told = control(EPOLL_CTL_DEL, number); !told) {
    // The owner may close a descriptor after remove(), before we get here, and close() has taken it
    // out of the set: EBADF, or ENOENT if the number is in use again (EPERM if by a regular file).
    const int error = told.error().value;
    CHECK(error == EBADF || error == ENOENT || error == EPERM, "no other error is possible");
  }
  free(number);
}

}  // namespace epoll_reference
