// Both sides watch eventfds that are always readable and call a function which counts; so what is
// left of a difference between the two is the reactor's: the slot, its generation, the callback,
// the queue of changes, the timers, the clock.

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/check.hpp"
#include "common/base/unique_fd.hpp"
#include "docs/epoll_reference/bench/contenders.hpp"
#include "docs/epoll_reference/reactor/reactor.hpp"

namespace epoll_reference {
namespace {

constexpr std::uint32_t kEventsPerWait = 256;

base::Result<std::vector<base::UniqueFd>> make_ready(std::uint32_t count) {
  std::vector<base::UniqueFd> fds;
  for (std::uint32_t i = 0; i < count; ++i) {
    fds.emplace_back(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!fds.back().valid()) {
      return base::fail(base::last_error());
    }
  }
  return fds;
}

// What an event is handled by, on both sides. Its own cache line, as a connection is.
struct alignas(64) Target {
  std::uint64_t events = 0;
  [[gnu::noinline]] void on_io(std::uint32_t its_events) { events += its_events; }
};

struct ByReactor {
  explicit ByReactor(Reactor its_reactor) : reactor(std::move(its_reactor)) {}

  Reactor reactor;
  std::vector<base::UniqueFd> fds;
  std::vector<Target> targets;
};

struct BySwitch {
  enum class Kind : std::uint32_t { Listener, Signal, Connection };

  base::UniqueFd epoll;
  std::vector<base::UniqueFd> fds;
  std::vector<Target> targets;
  Target others;

  void dispatch(const epoll_event& event) {
    const auto index = static_cast<std::uint32_t>(event.data.u64);
    switch (static_cast<Kind>(event.data.u64 >> 32)) {
      case Kind::Connection:
        targets[index].on_io(event.events);
        break;
      case Kind::Listener:
      case Kind::Signal:
        others.on_io(event.events);
        break;
    }
  }
};

std::string name_of(const char* how, std::uint32_t ready) {
  return std::string("event dispatched by ") + how + ", " + std::to_string(ready) + " ready";
}

}  // namespace

base::Result<Contender> dispatch_by_reactor(std::uint32_t ready) {
  auto reactor = Reactor::create({.registrations = ready, .events_per_wait = kEventsPerWait});
  if (!reactor) {
    return base::fail(reactor.error());
  }
  auto fds = make_ready(ready);
  if (!fds) {
    return base::fail(fds.error());
  }
  const auto state = std::make_shared<ByReactor>(std::move(*reactor));
  state->fds = std::move(*fds);
  state->targets.resize(ready);
  for (std::uint32_t i = 0; i < ready; ++i) {
    const auto added = state->reactor.add(state->fds[i].get(), EPOLLIN,
                                          IoCallback::to<&Target::on_io>(state->targets[i]));
    if (!added) {
      return base::fail(added.error());
    }
  }
  return Contender{.name = name_of("the reactor", ready),
                   .run =
                       [state, ready](std::uint64_t operations) {
                         for (std::uint64_t done = 0; done < operations; done += ready) {
                           state->reactor.turn(0);
                         }
                       },
                   .batch = ready};
}

base::Result<Contender> dispatch_by_switch(std::uint32_t ready) {
  const auto state = std::make_shared<BySwitch>();
  state->epoll.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!state->epoll.valid()) {
    return base::fail(base::last_error());
  }
  auto fds = make_ready(ready);
  if (!fds) {
    return base::fail(fds.error());
  }
  state->fds = std::move(*fds);
  state->targets.resize(ready);
  for (std::uint32_t i = 0; i < ready; ++i) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 =
        std::uint64_t{static_cast<std::uint32_t>(BySwitch::Kind::Connection)} << 32 | i;
    if (::epoll_ctl(state->epoll.get(), EPOLL_CTL_ADD, state->fds[i].get(), &event) != 0) {
      return base::fail(base::last_error());
    }
  }
  return Contender{.name = name_of("epoll_wait and a switch", ready),
                   .run =
                       [state, ready](std::uint64_t operations) {
                         std::array<epoll_event, kEventsPerWait> events;
                         for (std::uint64_t done = 0; done < operations; done += ready) {
                           const int count =
                               ::epoll_wait(state->epoll.get(), events.data(), kEventsPerWait, 0);
                           CHECK(count == static_cast<int>(ready));
                           for (int i = 0; i < count; ++i) {
                             state->dispatch(events[static_cast<std::size_t>(i)]);
                           }
                         }
                       },
                   .batch = ready};
}

}  // namespace epoll_reference
