#pragma once
// What to do about an error, as a table: (kind of operation, errno) -> action.
//
// The application owns the kinds and the rows; this header owns the actions, the list of errors
// that each operation is known to end with, and the proof, at compile time, that the rows leave
// none of them out:
//
//   constexpr ErrnoPolicy kPolicy{std::array{
//       PolicyRow{kRecv, ENOBUFS, Action::AwaitBuffers}, ...}};
//   static_assert(kPolicy.covers(kRecv, errors_of(IORING_OP_RECV)));
//
// An error without a row is Fatal: it goes to one place that says what happened.

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>

#include "common/uring/uapi.hpp"

namespace loop {

enum class Action : std::uint8_t {
  Retry,         // the same request again, at once: nothing has changed (EINTR, EAGAIN)
  Rearm,         // a multishot that ended: arm it again
  AwaitBuffers,  // no provided buffer: arm again when one has come back. Why ENOBUFS does not spin
  AwaitDescriptors,  // out of descriptors: arm again when one has been closed
  AwaitReadiness,    // the socket is full, and the request was not to wait: poll, then again
  Close,             // this connection or file is finished
  Ignore,            // expected, and nothing is to be done
  Fatal,             // our own mistake, or the machine is out of order: report and stop
};
[[nodiscard]] const char* to_string(Action action);

struct PolicyRow {
  std::uint8_t kind;
  int error;  // positive
  Action action;
};

template <std::size_t kRows>
class ErrnoPolicy {
 public:
  explicit constexpr ErrnoPolicy(const std::array<PolicyRow, kRows>& rows) : rows_(rows) {}

  // The row's action; Fatal without a row. `res` is a CQE's, negative.
  [[nodiscard]] constexpr Action decide(std::uint8_t kind, std::int32_t res) const {
    const std::size_t row = find(kind, -res);
    return row != kNoRow ? rows_[row].action : Action::Fatal;
  }

  [[nodiscard]] constexpr bool covers(std::uint8_t kind, std::span<const int> errors) const {
    return std::ranges::all_of(errors, [&](int error) { return find(kind, error) != kNoRow; });
  }

  // No (kind, errno) twice: the second row would never be read.
  [[nodiscard]] constexpr bool is_unambiguous() const {
    for (std::size_t i = 0; i < kRows; ++i) {
      if (find(rows_[i].kind, rows_[i].error) != i) {
        return false;
      }
    }
    return true;
  }

 private:
  static constexpr std::size_t kNoRow = kRows;

  // Linear: errors are not the hot path, and a table in reading order is worth more. An index and
  // no pointer, because GCC 12 with UBSan takes no comparison of pointers for a constant (GCC bug
  // 71962), and the static_asserts of the applications would not compile.
  [[nodiscard]] constexpr std::size_t find(std::uint8_t kind, int error) const {
    std::size_t i = 0;
    while (i < kRows && (rows_[i].kind != kind || rows_[i].error != error)) {
      ++i;
    }
    return i;
  }

  std::array<PolicyRow, kRows> rows_;
};

namespace errors {
inline constexpr std::array kAccept = {EAGAIN, EINTR,   ECANCELED, ECONNABORTED, EMFILE,
                                       ENFILE, ENOBUFS, ENOMEM,    EPERM,        EPROTO};
inline constexpr std::array kRecv = {EAGAIN,     EINTR,     ECANCELED,    ENOBUFS,  ENOMEM,
                                     ECONNRESET, ETIMEDOUT, ECONNREFUSED, ENOTCONN, EHOSTUNREACH,
                                     EPIPE,      ENETDOWN,  ENETUNREACH};
inline constexpr std::array kSend = {EAGAIN,   EINTR,        ECANCELED, ENOBUFS,
                                     ENOMEM,   ECONNRESET,   ETIMEDOUT, EPIPE,
                                     ENOTCONN, EHOSTUNREACH, ENETDOWN,  ENETUNREACH};
inline constexpr std::array kRead = {EAGAIN, EINTR, ECANCELED, EIO, ENOMEM, EISDIR};
inline constexpr std::array kWrite = {EAGAIN, EINTR,  ECANCELED, EIO,   ENOMEM,
                                      ENOSPC, EDQUOT, EFBIG,     EROFS, EPIPE};
inline constexpr std::array kTimeout = {ETIME, ECANCELED};
inline constexpr std::array kCancel = {ENOENT, EALREADY};
inline constexpr std::array kClose = {EINTR, EIO, ENOSPC, EDQUOT, ECANCELED};
inline constexpr std::array kOpen = {EACCES,       EAGAIN, EINTR,  EISDIR,  ELOOP,  EMFILE,
                                     ENAMETOOLONG, ENFILE, ENODEV, ENOENT,  ENOMEM, ENOTDIR,
                                     ENXIO,        EPERM,  EROFS,  ETXTBSY, EXDEV,  ECANCELED};
}  // namespace errors

// The errors that a correct request with this opcode is known to end with on a healthy kernel:
// what the network, the disk, a limit or a cancel can do to it. Not in it are the errors of a
// malformed request (EINVAL, EFAULT, EBADF, EOPNOTSUPP): those are bugs, and Fatal is right.
// An opcode without a list here has an empty one.
[[nodiscard]] constexpr std::span<const int> errors_of(std::uint8_t opcode) {
  using namespace uring;
  switch (opcode) {
    case IORING_OP_ACCEPT:
      return errors::kAccept;
    case IORING_OP_RECV:
    case IORING_OP_RECVMSG:
      return errors::kRecv;
    case IORING_OP_SEND:
    case IORING_OP_SENDMSG:
    case IORING_OP_SEND_ZC:
    case IORING_OP_SENDMSG_ZC:
      return errors::kSend;
    case IORING_OP_READ:
    case IORING_OP_READ_FIXED:
    case IORING_OP_READV:
      return errors::kRead;
    case IORING_OP_WRITE:
    case IORING_OP_WRITE_FIXED:
    case IORING_OP_WRITEV:
      return errors::kWrite;
    case IORING_OP_TIMEOUT:
    case IORING_OP_LINK_TIMEOUT:
      return errors::kTimeout;
    case IORING_OP_ASYNC_CANCEL:
    case IORING_OP_TIMEOUT_REMOVE:
      return errors::kCancel;
    case IORING_OP_CLOSE:
      return errors::kClose;
    case IORING_OP_OPENAT:
    case IORING_OP_OPENAT2:
      return errors::kOpen;
    default:
      return {};
  }
}

}  // namespace loop
