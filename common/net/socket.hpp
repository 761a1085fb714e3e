#pragma once
// What is set on a socket and asked of it, one function each. None of them takes or closes the
// descriptor; each makes one system call that does not block. EBADF and ENOTSOCK are the caller's
// bugs.

#include "common/base/errno.hpp"
#include "common/net/address.hpp"

namespace net {

// setsockopt() of an int, which most options are.
[[nodiscard]] base::Result<void> set_option(int fd, int level, int name, int value);
[[nodiscard]] base::Result<int> get_option(int fd, int level, int name);

// Off (the kernel's default), small writes wait until what was sent before is acknowledged (Nagle's
// algorithm); together with the peer's delayed ACK that can be 40 ms.
[[nodiscard]] base::Result<void> set_nodelay(int fd, bool on);

// How many bytes the kernel keeps for the socket. KERNEL: it doubles the number for its own
// bookkeeping and reads it back doubled, cuts it to net.core.wmem_max (rmem_max), and from then on
// no longer adapts the size to the connection. Set on a listener they are inherited.
[[nodiscard]] base::Result<void> set_send_buffer(int fd, int bytes);
[[nodiscard]] base::Result<void> set_receive_buffer(int fd, int bytes);

// The error that has come to the socket by itself (SO_ERROR), as EPOLLERR announces it: ECONNRESET,
// EPIPE, and for a connect() in progress how it ended. Asking clears it: the second answer is
// success.
[[nodiscard]] base::Result<void> pending_error(int fd);

// No more bytes from us: the peer reads what was sent before, then the end (FIN). We can still
// receive. ENOTCONN if the connection has been reset meanwhile.
[[nodiscard]] base::Result<void> shutdown_sending(int fd);

// Bytes that were given to the kernel and that the peer's kernel has not acknowledged, with the FIN
// counted as one (SIOCOUTQ).
[[nodiscard]] base::Result<int> unacknowledged_bytes(int fd);

// Whom the socket is bound to, and whom it is connected to. ENOTCONN for the peer of a socket that
// is not connected, or not any more; EAFNOSUPPORT if it is no IP socket.
[[nodiscard]] base::Result<Address> local_address(int fd);
[[nodiscard]] base::Result<Address> peer_address(int fd);

}  // namespace net
