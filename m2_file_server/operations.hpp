#pragma once
// The operations of the file server, and what each of their errors means.

#include <array>
#include <cerrno>
#include <cstdint>

#include "common/loop/errno_policy.hpp"
#include "common/server/operations.hpp"
#include "common/uring/uapi.hpp"

namespace file_server {

enum Kind : std::uint8_t {
  kRecv = server::kFirstProtocolKind,
  kSendText,
  kSendBuffer,  // aux: the buffer
  kWaitToSend,  // POLL_ADD for POLLOUT
  kRead,        // aux: the buffer
  kOpen,
  kFillPipe,   // SPLICE from a file
  kEmptyPipe,  // SPLICE to the socket
};

// What ends one request for no fault of the file: it is worth another try, but not for ever.
inline constexpr std::uint8_t kMostRetries = 8;

// Reads are not here: what an error of a file means depends on how far the answer is, see
// Transfer::on_read(). Nor is opening: FileTable says what each of its errors is for the client.
// [snippet: socket_policy]
inline constexpr loop::ErrnoPolicy kSocketPolicy{std::array{
    loop::PolicyRow{kRecv, EINTR, loop::Action::Retry},
    loop::PolicyRow{kRecv, EAGAIN, loop::Action::Retry},
    loop::PolicyRow{kRecv, ENOMEM, loop::Action::Close},
    loop::PolicyRow{kRecv, ENOBUFS, loop::Action::Close},
    loop::PolicyRow{kRecv, ECANCELED, loop::Action::Ignore},  // it is closing already
    loop::PolicyRow{kRecv, ECONNRESET, loop::Action::Close},
    loop::PolicyRow{kRecv, ETIMEDOUT, loop::Action::Close},
    loop::PolicyRow{kRecv, ECONNREFUSED, loop::Action::Close},
    loop::PolicyRow{kRecv, ENOTCONN, loop::Action::Close},
    loop::PolicyRow{kRecv, EHOSTUNREACH, loop::Action::Close},
    loop::PolicyRow{kRecv, EPIPE, loop::Action::Close},
    loop::PolicyRow{kRecv, ENETDOWN, loop::Action::Close},
    loop::PolicyRow{kRecv, ENETUNREACH, loop::Action::Close},
    loop::PolicyRow{kSendBuffer, EINTR, loop::Action::Retry},
    loop::PolicyRow{kSendBuffer, EAGAIN, loop::Action::AwaitReadiness},
    loop::PolicyRow{kSendBuffer, ENOBUFS, loop::Action::Close},
    loop::PolicyRow{kSendBuffer, ENOMEM, loop::Action::Close},
    loop::PolicyRow{kSendBuffer, ECANCELED, loop::Action::Ignore},
    loop::PolicyRow{kSendBuffer, ECONNRESET, loop::Action::Close},
    loop::PolicyRow{kSendBuffer, ETIMEDOUT, loop::Action::Close},
    loop::PolicyRow{kSendBuffer, EPIPE, loop::Action::Close},
    loop::PolicyRow{kSendBuffer, ENOTCONN, loop::Action::Close},
    loop::PolicyRow{kSendBuffer, EHOSTUNREACH, loop::Action::Close},
    loop::PolicyRow{kSendBuffer, ENETDOWN, loop::Action::Close},
    loop::PolicyRow{kSendBuffer, ENETUNREACH, loop::Action::Close},
}};
static_assert(kSocketPolicy.is_unambiguous());
static_assert(kSocketPolicy.covers(kRecv, loop::errors_of(uring::IORING_OP_RECV)));
static_assert(kSocketPolicy.covers(kSendBuffer, loop::errors_of(uring::IORING_OP_SEND)));
// [/snippet]

}  // namespace file_server
