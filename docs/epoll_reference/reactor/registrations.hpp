#pragma once
// Which descriptors are watched for what, and whom to call: our table beside the kernel's. What is
// wanted and what the kernel was told are kept apart, so that changes can be queued and merged:
// arming EPOLLOUT and disarming it again before the queue is applied costs no system call.
//
// What must hold:
// - epoll_event.data names a slot and its generation, and the generation changes in remove(). So an
//   event that the kernel had reported before a removal names nobody afterwards (find() is null),
//   even if the descriptor's number has been used again meanwhile.
// - A slot is used again only after its EPOLL_CTL_DEL, so it is in the queue of changes at most
//   once.
// - All memory is reserved by the constructor.

#include <sys/epoll.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "common/base/errno.hpp"
#include "common/base/unique_fd.hpp"
#include "docs/epoll_reference/reactor/callback.hpp"

namespace epoll_reference {

// Gets the events that have come: EPOLLIN, EPOLLOUT, EPOLLRDHUP as asked for, EPOLLERR and EPOLLHUP
// always; or kNotWatched.
using IoCallback = Callback<std::uint32_t>;

// Comes alone, instead of events: the kernel has refused this registration, which has ended. Not a
// bit that the kernel uses.
inline constexpr std::uint32_t kNotWatched = 1U << 16;

// Names one registration. The default one names none, ever. Stale once it has ended.
struct Registration {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;

  friend bool operator==(Registration, Registration) = default;
};

class Registrations {
 public:
  Registrations(base::UniqueFd epoll, std::uint32_t capacity);

  // These only queue; see Reactor for what they mean.
  [[nodiscard]] base::Result<Registration> add(int fd, std::uint32_t events, IoCallback callback);
  bool modify(Registration registration, std::uint32_t events);
  bool remove(Registration registration);
  bool remove_for_close(Registration registration);

  // Tells the kernel all that is queued. A registration that it refuses ends, and `refused` is
  // called with its callback and the error; what is queued by that call stays queued.
  void apply(Delegate<void(IoCallback, base::Errno)> refused);
  // Tells the kernel about this one, ahead of what is queued. On an error it has ended.
  [[nodiscard]] base::Result<void> apply_only(Registration registration);

  struct Delivery {
    IoCallback callback;
    std::uint32_t events;  // those that are still wanted; 0: none
  };
  // Whom an event is for; nothing if that registration has ended.
  [[nodiscard]] std::optional<Delivery> find(std::uint64_t data, std::uint32_t events);

  [[nodiscard]] bool has_queued() const { return !queued_.empty(); }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::uint64_t epoll_ctl_calls() const { return epoll_ctl_calls_; }
  [[nodiscard]] int epoll_fd() const { return epoll_.get(); }

 private:
  enum class State : std::uint8_t {
    Free,
    Unknown,   // in use, the kernel does not know it yet
    Watched,   // in use, the kernel watches it
    Removing,  // ended for the caller, the kernel still watches it
  };
  struct Slot {
    IoCallback callback;
    int fd = -1;
    std::uint32_t generation = 1;
    std::uint32_t wanted = 0;     // events
    std::uint32_t told = 0;       // events, as the kernel has them
    std::uint32_t next_free = 0;  // while it is free
    State state = State::Free;
    bool queued = false;
  };
  // Never asked for, so it never equals what is wanted: the kernel must be told in any case.
  static constexpr std::uint32_t kMustTell = EPOLLONESHOT;
  static constexpr std::uint32_t kNoSlot = std::numeric_limits<std::uint32_t>::max();

  [[nodiscard]] Slot* current(Registration registration);
  void enqueue(std::uint32_t number);
  void end(Slot& slot);
  void free(std::uint32_t number);
  [[nodiscard]] base::Result<void> control(int operation, std::uint32_t number);
  [[nodiscard]] base::Result<void> tell(std::uint32_t number);
  void tell_removal(std::uint32_t number);

  base::UniqueFd epoll_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> queued_;    // slots with something to tell, in the order of the calls
  std::vector<std::uint32_t> applying_;  // the queue that apply() works on
  std::uint32_t first_free_ = kNoSlot;
  std::size_t size_ = 0;
  std::uint64_t epoll_ctl_calls_ = 0;
};

// [snippet: zombie_guard]
// A free slot's generation is in no handle yet, so comparing it is enough.
inline Registrations::Slot* Registrations::current(Registration registration) {
  if (registration.slot >= slots_.size() ||
      slots_[registration.slot].generation != registration.generation) {
    return nullptr;
  }
  return &slots_[registration.slot];
}

// Inline, since it is done for each event.
inline std::optional<Registrations::Delivery> Registrations::find(std::uint64_t data,
                                                                  std::uint32_t events) {
  Slot* slot = current({.slot = static_cast<std::uint32_t>(data),
                        .generation = static_cast<std::uint32_t>(data >> 32)});
  if (slot == nullptr) {
    return std::nullopt;
  }
  const std::uint32_t wanted = events & (slot->wanted | EPOLLERR | EPOLLHUP);
  if (wanted != events) {
    // A callback of this batch has just disarmed what came. If another one arms it again, the
    // kernel must be told although nothing has changed for it: it reports an edge (EPOLLET) only
    // once, and EPOLL_CTL_MOD makes it look again.
    slot->told = kMustTell;
  }
  return Delivery{.callback = slot->callback, .events = wanted};
}
// [/snippet]

}  // namespace epoll_reference
