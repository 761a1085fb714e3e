#pragma once
// What the errors lesson does about each error: the table that it follows.
//
// What must hold, and the compiler checks: the rows leave out no error that a correct request of its
// kind is known to end with, and none stands twice. What has no row is our own mistake (EBADF,
// EINVAL, EFAULT) and Fatal.

#include <array>
#include <cerrno>
#include <cstdint>

#include "common/loop/errno_policy.hpp"
#include "common/uring/uapi.hpp"

namespace m1 {

enum ErrorKind : std::uint8_t {
  kRead = 1,
  kWrite,
  kRecv,
  kSend,
  kOpen,
  kTimeout,
  kCancel,
  kUnlink,
  kNop
};

inline constexpr auto kErrorsPolicy = [] {
  using enum loop::Action;
  return loop::ErrnoPolicy(std::to_array<loop::PolicyRow>({
      {kRead, EAGAIN, Retry},
      {kRead, EINTR, Retry},
      {kRead, ENOMEM, Retry},
      {kRead, ENOBUFS, AwaitBuffers},
      {kRead, ECANCELED, Close},
      {kRead, EIO, Close},
      {kRead, EISDIR, Close},  // the user gave the name of a directory

      {kWrite, EAGAIN, Retry},
      {kWrite, EINTR, Retry},
      {kWrite, ENOMEM, Retry},
      {kWrite, ENOSPC, Close},  // what is in the file by now is not all of it: say so
      {kWrite, EDQUOT, Close},
      {kWrite, EFBIG, Close},
      {kWrite, EROFS, Close},
      {kWrite, EIO, Close},
      {kWrite, EPIPE, Close},
      {kWrite, ECANCELED, Close},

      {kRecv, EAGAIN, Retry},  // nothing there yet: once something is
      {kRecv, EINTR, Retry},
      {kRecv, ENOMEM, Retry},
      {kRecv, ENOBUFS, AwaitBuffers},
      {kRecv, ECANCELED, Close},   // whoever cancelled it wants no more of it
      {kRecv, ECONNRESET, Close},  // the peer is gone, in one way or another
      {kRecv, ECONNREFUSED, Close},
      {kRecv, ETIMEDOUT, Close},
      {kRecv, ENOTCONN, Close},
      {kRecv, EPIPE, Close},
      {kRecv, EHOSTUNREACH, Close},
      {kRecv, ENETUNREACH, Close},
      {kRecv, ENETDOWN, Close},

      {kSend, EAGAIN, Retry},
      {kSend, EINTR, Retry},
      {kSend, ENOBUFS, Retry},
      {kSend, ENOMEM, Retry},
      {kSend, EPIPE, Close},
      {kSend, ECONNRESET, Close},
      {kSend, ETIMEDOUT, Close},
      {kSend, ENOTCONN, Close},
      {kSend, EHOSTUNREACH, Close},
      {kSend, ENETUNREACH, Close},
      {kSend, ENETDOWN, Close},
      {kSend, ECANCELED, Close},

      {kOpen, EAGAIN, Retry},
      {kOpen, EINTR, Retry},
      {kOpen, ENOMEM, Retry},
      {kOpen, EMFILE, AwaitDescriptors},
      {kOpen, ENFILE, AwaitDescriptors},
      {kOpen, ENOENT, Close},  // and what follows: this name cannot be opened, or not so
      {kOpen, EACCES, Close},
      {kOpen, EPERM, Close},
      {kOpen, EISDIR, Close},
      {kOpen, ENOTDIR, Close},
      {kOpen, ELOOP, Close},
      {kOpen, ENAMETOOLONG, Close},
      {kOpen, ENODEV, Close},
      {kOpen, ENXIO, Close},
      {kOpen, EROFS, Close},
      {kOpen, ETXTBSY, Close},
      {kOpen, EXDEV, Close},
      {kOpen, ECANCELED, Close},

      {kTimeout, ETIME, Ignore},  // no failure: the time is over, as asked for
      {kTimeout, ECANCELED, Ignore},

      {kCancel, ENOENT, Ignore},    // too late: it has completed
      {kCancel, EALREADY, Ignore},  // it is running: its own completion will tell

      {kUnlink, EBUSY, Ignore},  // in use, as a mount point is: it stays
      {kUnlink, EACCES, Ignore},
      {kUnlink, EPERM, Ignore},
      {kUnlink, EROFS, Ignore},

      {kNop, ECANCELED, Ignore},  // the chain broke before it
  }));
}();

// [snippet: errors_policy_is_complete]
static_assert(kErrorsPolicy.is_unambiguous());
static_assert(kErrorsPolicy.covers(kRead, loop::errors_of(uring::IORING_OP_READ)));
static_assert(kErrorsPolicy.covers(kWrite, loop::errors_of(uring::IORING_OP_WRITE)));
// [/snippet]
static_assert(kErrorsPolicy.covers(kRecv, loop::errors_of(uring::IORING_OP_RECV)));
static_assert(kErrorsPolicy.covers(kSend, loop::errors_of(uring::IORING_OP_SEND)));
static_assert(kErrorsPolicy.covers(kOpen, loop::errors_of(uring::IORING_OP_OPENAT)));
static_assert(kErrorsPolicy.covers(kTimeout, loop::errors_of(uring::IORING_OP_TIMEOUT)));
static_assert(kErrorsPolicy.covers(kCancel, loop::errors_of(uring::IORING_OP_ASYNC_CANCEL)));

}  // namespace m1
