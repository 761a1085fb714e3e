#pragma once
// The end of a descriptor that operations may be in flight on.
//
// KERNEL: neither close(2) nor IORING_OP_CLOSE ends a pending receive. It holds a reference to the
// file, not the number: it would go on and on receiving for a connection that we believe to be
// gone, and the client would see no end. So what is in flight is cancelled first.
//
// Each by its user_data, and nothing where nothing is. KERNEL: to find what is pending on a
// descriptor (IORING_ASYNC_CANCEL_FD) the kernel looks at every request of the ring that waits, so
// ten thousand clients that leave together would cost ten thousand times ten thousand looks. A
// user_data is found by its hash.
//
// The two are one chain, cancel then close. The link is a hard one: the cancel may find nothing and
// fail with -ENOENT, and the close must run.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "common/base/check.hpp"
#include "common/loop/event_loop.hpp"
#include "common/server/sockets.hpp"

namespace server {

// The operations in flight on a connection's socket that wait for its client, for as long as it
// likes. Those that end by themselves need no cancelling.
class Waiting {
 public:
  static constexpr std::size_t kMost = 3;
  struct Operation {
    std::uint8_t kind = 0;
    std::uint16_t aux = 0;
  };

  void add(std::uint8_t kind, std::uint16_t aux = 0) {
    CHECK(count_ < kMost);
    operations_[count_++] = {.kind = kind, .aux = aux};
  }
  [[nodiscard]] std::span<const Operation> operations() const {
    return std::span(operations_).first(count_);
  }

 private:
  std::array<Operation, kMost> operations_{};
  std::size_t count_ = 0;
};

// What arm_close() arms at most.
inline constexpr std::uint32_t kMostSqesOfClose = Waiting::kMost + 1;

// Arms a CANCEL for each of these and a CLOSE, for this slot.
void arm_close(loop::EventLoop& loop, std::uint32_t slot, const Sockets& sockets, int fd,
               const Waiting& waiting);

// What came of these two. Stops the program where nothing could have failed.
void check_cancel(std::int32_t res);
void check_close(std::int32_t res);

}  // namespace server
