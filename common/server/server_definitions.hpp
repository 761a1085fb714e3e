#pragma once
// The functions of Server about connections, in the order of a connection's life. Included by
// server.hpp.

#include <cstdio>
#include <utility>

#include "common/net/listener.hpp"
#include "common/server/server.hpp"
#include "common/support/cpu_clock.hpp"
#include "common/support/file_limit.hpp"

namespace server {

template <class P>
Server<P>::Server(uring::Ring& ring, P& protocol, const support::ServerOptions& options,
                  const Sockets& sockets)
    : protocol_(protocol),
      options_(options),
      sockets_(sockets),
      signals_(support::SignalSource::create({SIGTERM, SIGINT, SIGUSR1})),
      loop_(
          ring,
          {.slots = options.max_connections + 1, .timers = options.max_connections + kServerTimers},
          signals_ ? &*signals_ : nullptr),
      slots_(loop_.slots()),
      connections_(slots_.capacity()),
      acceptor_(loop_, counters_),
      linger_(loop_, sockets_),
      random_(std::random_device()()) {
  static_assert(Protocol<P>, "protocol.hpp says what a protocol provides");
  CHECK(ring.sq().entries() >= kMaxSqesPerHandler, "the SQ has room for what one handler arms");
}

template <class P>
int Server<P>::run(const char* program) {
  if (const auto started = start(program); !started) {
    std::fprintf(stderr, "%s: %s\n", program, started.error().c_str());
    return 2;
  }
  if (const auto served = loop_.run(*this); !served) {
    std::fprintf(stderr, "%s: the ring cannot be entered any more: %s\n", program,
                 served.error().message());
    return 1;
  }
  // A signal that came too late to be looked at would end the program when it is no longer blocked.
  while (signals_->next()) {
  }
  return 0;
}

template <class P>
std::expected<void, std::string> Server<P>::start(const char* program) {
  // It blocks, so that an ACCEPT on it waits on every kernel.
  auto listener = net::listen(options_.bind, options_.port, {.blocking = true});
  if (!listener) {
    return std::unexpected(listener.error());
  }
  if (!signals_) {
    return std::unexpected(std::string("cannot receive signals: ") + signals_.error().message());
  }
  // It saves a lookup of the file at each enter, and without it all works as well.
  (void)ring().register_ring_fd();
  const net::Address bound = listener->address;
  const auto room = make_places(program, listener->fd.get());
  if (!room) {
    return std::unexpected(room.error());
  }
  protocol_.start(*this);
  acceptor_.start(std::move(*listener), room->sockets, room->connections);
  started_ns_ = support::now_ns();
  if (options_.stats_interval.count() > 0) {
    set_stats_timer(started_ns_ + in_ns(options_.stats_interval));
  }
  std::printf("listening on %s\n", bound.to_string().c_str());
  std::fflush(stdout);
  return {};
}

template <class P>
auto Server<P>::make_places(const char* program, int listener) -> std::expected<Room, std::string> {
  Room room{.sockets = sockets_};
  // What a multishot may bring above the limit must not take what the protocol has counted on, and
  // must find places in the table.
  const std::uint32_t spare = sockets_.direct ? 0 : protocol_.spare_descriptors();
  const std::uint32_t early = ring().cq().entries();
  if ((sockets_.direct || spare > 0) &&
      support::raise_file_limit(listener) <
          std::uint64_t{options_.max_connections} + spare + early) {
    room.sockets.multishot_accept = false;
  }
  room.connections = support::connection_limit(program, options_.max_connections, spare, listener);
  if (sockets_.direct) {
    const std::uint32_t places = room.connections + (room.sockets.multishot_accept ? early : 0);
    auto table = uring::RegisteredFiles::create_sparse(ring(), places);
    if (!table) {
      return std::unexpected("cannot register a table of " + std::to_string(places) +
                             " direct descriptors: " + table.error().message());
    }
    table_.emplace(std::move(*table));
  }
  return room;
}

// --- completions --------------------------------------------------------------------------------

template <class P>
void Server<P>::on_completion(loop::OpId id, const uring::io_uring_cqe& cqe) {
  if (id.kind >= kFirstProtocolKind) [[likely]] {
    protocol_.on_completion(id, cqe);
  } else {
    on_own_completion(id, cqe);
  }
}

template <class P>
void Server<P>::on_own_completion(loop::OpId id, const uring::io_uring_cqe& cqe) {
  const std::int32_t res = cqe.res;
  switch (id.kind) {
    case kAccept:
      if (const auto socket =
              acceptor_.on_accept(res, (cqe.flags & uring::IORING_CQE_F_MORE) == 0)) {
        open(*socket);
      }
      break;
    case kCancel:
      check_cancel(res);
      break;
    case kClose:
      check_close(res);
      break;
    case kDiscard:
      if (!connection(id.slot).closing) {
        note_received(id.slot, res > 0 ? static_cast<std::size_t>(res) : 0);
        follow(id.slot, linger_.on_discarded(connection(id.slot), id.slot, res));
      }
      break;
    case kShutdown:
      break;  // whatever came of it, the RECV learns, too
    default:
      CHECK(false, "the server has no other kinds of operations");
  }
}

template <class P>
void Server<P>::on_stale(loop::OpId id, const uring::io_uring_cqe& cqe) {
  if (id.kind >= kFirstProtocolKind) {
    protocol_.on_stale(id, cqe);
  } else if (id.kind == kAccept && cqe.res >= 0) {
    if (sockets_.direct) {
      (void)table_->clear(static_cast<std::uint32_t>(cqe.res));
    } else {
      const base::UniqueFd nobodys(cqe.res);
    }
  }
}

// --- the life of a connection -------------------------------------------------------------------

template <class P>
bool Server<P>::open_early() {
  while (const auto socket = acceptor_.take_early()) {
    open(*socket);
    if (!has_room()) {
      return false;
    }
  }
  return true;
}

template <class P>
void Server<P>::open(int fd) {
  const auto slot = loop_.slots().acquire();
  CHECK(slot, "there is a slot for each connection that the acceptor lets in");
  Connection& opened = connections_.make(*slot);
  opened.fd = fd;
  opened.opened_ns = opened.active_ns = turn_ns();
  opened.idle_timeout_ns = in_ns(options_.idle_timeout);
  if (const std::uint64_t jitter_ns = in_ns(options_.idle_timeout_jitter);
      opened.idle_timeout_ns > 0 && jitter_ns > 0) {
    opened.idle_timeout_ns += std::uniform_int_distribution<std::uint64_t>(0, jitter_ns)(random_);
  }
  set_timer(loop_.timers(), opened, *slot);
  protocol_.on_open(*slot);
}

// [snippet: close_connection]
template <class P>
void Server<P>::close(std::uint32_t slot, CloseReason reason) {
  Connection& closed = connection(slot);
  if (closed.closing) {
    return;
  }
  closed.closing = true;
  cancel_timer(loop_.timers(), closed);
  if constexpr (requires { protocol_.on_closing(slot); }) {
    protocol_.on_closing(slot);
  }
  Waiting waiting = protocol_.waiting(closed);
  if (closed.discarding) {
    waiting.add(kDiscard);
  }
  arm_close(loop_, slot, sockets_, closed.fd, waiting);
  closed.fd = -1;  // when the CLOSE has run, the number may be that of the next connection
  // The slot has one operation in flight at the least, the CLOSE just armed. What it holds is
  // released when the last of all has completed: on_slot_free().
  loop_.slots().close(slot);

  ++counters_.closed;
  counters_.closed_reset += reason == CloseReason::Error ? 1 : 0;
  counters_.closed_idle += reason == CloseReason::Idle ? 1 : 0;
  counters_.closed_drain += reason == CloseReason::Drain ? 1 : 0;
}
// [/snippet]

template <class P>
void Server<P>::on_slot_free(std::uint32_t slot) {
  if (!acceptor_.owns(slot)) {
    protocol_.on_closed(slot);
    acceptor_.connection_closed();
  }
}

template <class P>
void Server<P>::stop_reading(std::uint32_t slot) {
  Connection& stopped = connection(slot);
  if (!stopped.reading_stopped) {
    stopped.reading_stopped = true;
    ++counters_.reading_stops;
  }
}

// --- time ---------------------------------------------------------------------------------------

template <class P>
void Server<P>::set_deadline(std::uint32_t slot, std::uint64_t deadline_ns) {
  Connection& timed = connection(slot);
  timed.deadline_ns = deadline_ns;
  if (deadline_ns != 0 && !timed.closing) {
    set_timer(loop_.timers(), timed, slot);
  }
}

template <class P>
void Server<P>::on_timer(std::uint64_t payload, std::uint64_t deadline_ns) {
  switch (payload) {
    case kAcceptRetryTimer:
      return acceptor_.on_retry();
    case kDrainTimer:
      return end_drain();
    case kStatsTimer:
      return on_stats(deadline_ns);
    default:
      clock_.advance_to(loop_.counters().turns, deadline_ns);
      on_connection_timer(static_cast<std::uint32_t>(payload));
  }
}

template <class P>
void Server<P>::on_connection_timer(std::uint32_t slot) {
  Connection& timed = connection(slot);
  timed.timer_ns = 0;
  const std::uint64_t expires_at_ns = timed.expires_at_ns();
  if (expires_at_ns != 0 && expires_at_ns <= turn_ns()) {
    expire(slot);
  }
  if (!timed.closing) {
    set_timer(loop_.timers(), timed, slot);  // something has moved since: for the rest
  }
}

template <class P>
void Server<P>::expire(std::uint32_t slot) {
  Connection& expired = connection(slot);
  const bool is_deadline = expired.deadline_ns != 0 && expired.deadline_ns <= turn_ns();
  if (!is_deadline) {
    return close(slot, CloseReason::Idle);
  }
  expired.deadline_ns = 0;
  if (!expired.lingering) {
    return protocol_.on_deadline(slot);
  }
  follow(slot, linger_.check(expired, turn_ns()));
  set_deadline(slot, turn_ns() + Linger::kSilenceNs);
}

// --- the end of a connection --------------------------------------------------------------------

template <class P>
void Server<P>::finish(std::uint32_t slot) {
  if (!is_open(slot)) {
    return;
  }
  Connection& finished = connection(slot);
  if (linger_.is_quiet(finished, turn_ns())) {
    return close(slot, CloseReason::Done);
  }
  linger_.begin(finished, slot);
  set_deadline(slot, turn_ns() + Linger::kSilenceNs);
}

template <class P>
void Server<P>::follow(std::uint32_t slot, Linger::Verdict verdict) {
  if (verdict != Linger::Verdict::Wait) {
    close(slot, verdict == Linger::Verdict::Done ? CloseReason::Done : CloseReason::Error);
  }
}

}  // namespace server
