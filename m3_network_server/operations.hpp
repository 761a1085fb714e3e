#pragma once
// The operations of the network server, and what each of their errors means.

#include <array>
#include <cerrno>
#include <cstdint>

#include "common/loop/errno_policy.hpp"
#include "common/server/operations.hpp"
#include "common/uring/uapi.hpp"

namespace network_server {

enum Kind : std::uint8_t {
  kRecv = server::kFirstProtocolKind,
  kWaitToReceive,  // POLL_ADD for POLLIN: see ReceiveForm::PollFirst
  kSend,           // aux: how many of the chain's buffers; 0: what was copied out of them
  kWaitToSend,     // POLL_ADD for POLLOUT
};

inline constexpr auto kEchoPolicy = [] {
  using enum loop::Action;
  return loop::ErrnoPolicy(std::to_array<loop::PolicyRow>({
      // There is data, or an end, and no buffer for it. Armed again at once it would fail at once.
      {kRecv, ENOBUFS, AwaitBuffers},
      {kRecv, ECANCELED, Rearm},  // by back-pressure; of a connection that closes nobody asks
      {kRecv, EINTR, Retry},
      {kRecv, EAGAIN, Retry},
      {kRecv, ENOMEM, Close},
      {kRecv, ECONNRESET, Close},
      {kRecv, ETIMEDOUT, Close},
      {kRecv, ECONNREFUSED, Close},
      {kRecv, ENOTCONN, Close},
      {kRecv, EHOSTUNREACH, Close},
      {kRecv, EPIPE, Close},
      {kRecv, ENETDOWN, Close},
      {kRecv, ENETUNREACH, Close},

      {kSend, EAGAIN, AwaitReadiness},
      {kSend, EINTR, Retry},
      {kSend, ECANCELED, Retry},  // nobody cancels a send: it does not wait
      {kSend, ENOBUFS, Close},
      {kSend, ENOMEM, Close},
      {kSend, ECONNRESET, Close},
      {kSend, ETIMEDOUT, Close},
      {kSend, EPIPE, Close},
      {kSend, ENOTCONN, Close},
      {kSend, EHOSTUNREACH, Close},
      {kSend, ENETDOWN, Close},
      {kSend, ENETUNREACH, Close},
  }));
}();
static_assert(kEchoPolicy.is_unambiguous());
static_assert(kEchoPolicy.covers(kRecv, loop::errors_of(uring::IORING_OP_RECV)));
static_assert(kEchoPolicy.covers(kSend, loop::errors_of(uring::IORING_OP_SEND)));
static_assert(kEchoPolicy.covers(kSend, loop::errors_of(uring::IORING_OP_SENDMSG)));

}  // namespace network_server
