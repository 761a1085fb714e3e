#pragma once
// The server's own operations and timers, and what it does about each error that one can end with.

#include <array>
#include <cerrno>
#include <cstdint>

#include "common/loop/errno_policy.hpp"
#include "common/uring/uapi.hpp"

namespace server {

// Kinds of operations (loop::OpId::kind): these are the server's, from kFirstProtocolKind on they
// are the protocol's.
enum OperationKind : std::uint8_t {
  kAccept = 1,
  kCancel,
  kClose,
  kDiscard,   // the RECV of a lingering connection
  kShutdown,  // of one without a descriptor
};
inline constexpr std::uint8_t kFirstProtocolKind = 32;

// The payload of a connection's timer is its slot; these are above all slots.
enum ServerTimer : std::uint64_t {
  kAcceptRetryTimer = std::uint64_t{1} << 32,
  kDrainTimer,
  kStatsTimer,
};
inline constexpr std::uint32_t kServerTimers = 3;

inline constexpr auto kServerPolicy = [] {
  using enum loop::Action;
  return loop::ErrnoPolicy(std::to_array<loop::PolicyRow>({
      {kAccept, EAGAIN, Retry},
      {kAccept, EINTR, Retry},
      {kAccept, ECANCELED, Retry},  // we did not do it: who stops does not ask here
      // There is nothing wrong with the connection: we cannot hold one more, for now.
      {kAccept, EMFILE, AwaitDescriptors},
      {kAccept, ENFILE, AwaitDescriptors},
      {kAccept, ENOBUFS, AwaitDescriptors},
      {kAccept, ENOMEM, AwaitDescriptors},
      // This one connection was gone before we took it, in one way or another: it is out of the
      // backlog, and the next one may be sound.
      {kAccept, ECONNABORTED, Rearm},
      {kAccept, EPROTO, Rearm},
      {kAccept, EPERM, Rearm},
      {kAccept, ETIMEDOUT, Rearm},
      {kAccept, EHOSTUNREACH, Rearm},
      {kAccept, EHOSTDOWN, Rearm},
      {kAccept, ENETUNREACH, Rearm},
      {kAccept, ENETDOWN, Rearm},
      {kAccept, ENONET, Rearm},
      {kAccept, ENOPROTOOPT, Rearm},

      {kCancel, ENOENT, Ignore},    // nothing was in flight
      {kCancel, EALREADY, Ignore},  // it is running: its own completion will tell

      // The descriptor is gone in each of these cases. So it is no use, and wrong, to try again: by
      // then the number may be another connection's.
      {kClose, EINTR, Ignore},
      {kClose, EIO, Ignore},
      {kClose, ENOSPC, Ignore},
      {kClose, EDQUOT, Ignore},
      {kClose, ECANCELED, Fatal},  // a hard link does not break: the descriptor would leak
  }));
}();

static_assert(kServerPolicy.is_unambiguous());
static_assert(kServerPolicy.covers(kAccept, loop::errors_of(uring::IORING_OP_ACCEPT)));
static_assert(kServerPolicy.covers(kCancel, loop::errors_of(uring::IORING_OP_ASYNC_CANCEL)));
static_assert(kServerPolicy.covers(kClose, loop::errors_of(uring::IORING_OP_CLOSE)));
// Not here is the RECV of a lingering connection: whatever error ends it, the
// connection is closed, and a client that has learned a new one cannot stop the server with it.

// For an error without a row, or with one that says so: says what happened and ends the program.
[[noreturn]] void stop_on_fatal(const char* operation, std::int32_t res);

}  // namespace server
