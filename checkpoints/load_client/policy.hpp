#pragma once
// The kinds of operation of the load client, and what it does about each error.

#include <array>
#include <cstdint>

#include "checkpoints/load_client/results.hpp"
#include "common/loop/errno_policy.hpp"

namespace load_client {

enum Kind : std::uint8_t { kConnect = 1, kSend, kRecv, kCancel };

// What a correct connect() is known to end with.
inline constexpr std::array kConnectErrors = {
    ECONNREFUSED, ETIMEDOUT,     ECONNRESET, ECONNABORTED, EHOSTUNREACH, ENETUNREACH,
    ENETDOWN,     EADDRNOTAVAIL, EADDRINUSE, EAFNOSUPPORT, EACCES,       EPERM,
    EAGAIN,       EINTR,         ENOBUFS,    ENOMEM,       ECANCELED};

inline constexpr loop::ErrnoPolicy kPolicy{std::to_array<loop::PolicyRow>({
    {kConnect, ECONNREFUSED, loop::Action::Close}, {kConnect, ETIMEDOUT, loop::Action::Close},
    {kConnect, ECONNRESET, loop::Action::Close},   {kConnect, ECONNABORTED, loop::Action::Close},
    {kConnect, EHOSTUNREACH, loop::Action::Close}, {kConnect, ENETUNREACH, loop::Action::Close},
    {kConnect, ENETDOWN, loop::Action::Close},     {kConnect, EADDRNOTAVAIL, loop::Action::Close},
    {kConnect, EADDRINUSE, loop::Action::Close},   {kConnect, EAFNOSUPPORT, loop::Action::Close},
    {kConnect, EACCES, loop::Action::Close},       {kConnect, EPERM, loop::Action::Close},
    {kConnect, EAGAIN, loop::Action::Close},  // no local port, or no memory for the route
    {kConnect, EINTR, loop::Action::Close},   // a second try would find the first one under way
    {kConnect, ENOBUFS, loop::Action::Close},      {kConnect, ENOMEM, loop::Action::Close},
    {kConnect, ECANCELED, loop::Action::Close},    {kRecv, EAGAIN, loop::Action::Retry},
    {kRecv, EINTR, loop::Action::Retry},           {kRecv, ECANCELED, loop::Action::Close},
    {kRecv, ENOBUFS, loop::Action::AwaitBuffers},  {kRecv, ENOMEM, loop::Action::Close},
    {kRecv, ECONNRESET, loop::Action::Close},      {kRecv, ETIMEDOUT, loop::Action::Close},
    {kRecv, ECONNREFUSED, loop::Action::Close},    {kRecv, ENOTCONN, loop::Action::Close},
    {kRecv, EHOSTUNREACH, loop::Action::Close},    {kRecv, EPIPE, loop::Action::Close},
    {kRecv, ENETDOWN, loop::Action::Close},        {kRecv, ENETUNREACH, loop::Action::Close},
    {kSend, EAGAIN, loop::Action::Retry},          {kSend, EINTR, loop::Action::Retry},
    {kSend, ECANCELED, loop::Action::Close},       {kSend, ENOBUFS, loop::Action::Close},
    {kSend, ENOMEM, loop::Action::Close},          {kSend, ECONNRESET, loop::Action::Close},
    {kSend, ETIMEDOUT, loop::Action::Close},       {kSend, EPIPE, loop::Action::Close},
    {kSend, ENOTCONN, loop::Action::Close},        {kSend, EHOSTUNREACH, loop::Action::Close},
    {kSend, ENETDOWN, loop::Action::Close},        {kSend, ENETUNREACH, loop::Action::Close},
    {kCancel, ENOENT, loop::Action::Ignore},    // its target has just completed
    {kCancel, EALREADY, loop::Action::Ignore},  // or is about to
})};
static_assert(kPolicy.covers(kConnect, kConnectErrors));
static_assert(kPolicy.covers(kRecv, loop::errors_of(uring::IORING_OP_RECV)));
static_assert(kPolicy.covers(kSend, loop::errors_of(uring::IORING_OP_SEND)));
static_assert(kPolicy.covers(kCancel, loop::errors_of(uring::IORING_OP_ASYNC_CANCEL)));
static_assert(kPolicy.is_unambiguous());

// Under which name an error that closes a connection is counted.
[[nodiscard]] constexpr ErrorKind error_kind(std::uint8_t kind, int error) {
  switch (error) {
    case ECONNREFUSED:
      return ErrorKind::Refused;
    case ECONNRESET:
      return ErrorKind::Reset;
    case EPIPE:  // the server had ended its stream before it reset
      return ErrorKind::ClosedEarly;
    default:
      break;
  }
  if (kPolicy.decide(kind, -error) == loop::Action::Fatal) {
    return ErrorKind::Other;
  }
  return kind == kConnect ? ErrorKind::ConnectFailed : ErrorKind::Other;
}

}  // namespace load_client
