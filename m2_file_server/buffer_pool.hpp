#pragma once
// The memory that files are read into and sent from, and whose it is at the moment.
//
//            acquire()          begin(Reading)
//   Free ----------------> Held ----------------> Reading     the kernel writes into it
//     ^                    ^  | \__________________/ end()
//     |     release()      |  |     begin(Sending)
//     +--------------------+  +------------------> Sending     the kernel reads from it
//
// A request that names memory is a loan: from the SQE to its CQE the memory is the kernel's, whatever
// the program does meanwhile. It may cancel the request, close the descriptor, forget the connection;
// only the CQE ends the loan. So a buffer that is lent cannot be released, lent again or looked at, and
// that is checked in every build: an error here is another client's bytes in the answer.
//
// In front of each buffer's body lies room for the head of a response, so that head and first bytes
// leave in one piece. Bodies begin at a page, as O_DIRECT asks for.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "common/base/errno.hpp"
#include "common/uring/mapped_region.hpp"
#include "common/uring/registered_buffers.hpp"
#include "common/uring/ring.hpp"

namespace file_server {

using BufferId = std::uint16_t;
inline constexpr BufferId kNoBuffer = 0xffff;

enum class BufferState : std::uint8_t { Free, Held, Reading, Sending };
inline constexpr std::size_t kBufferStates = 4;

class BufferPool {
 public:
  static constexpr std::size_t kHeadRoom = 4096;

  // `count` buffers with bodies of `body_size` bytes, a multiple of 4096. ENOMEM.
  [[nodiscard]] static base::Result<BufferPool> create(std::uint16_t count, std::size_t body_size);

  // Makes buffer i the registered buffer i of the ring, with its head room, until the pool goes:
  // before the ring. See uring::RegisteredBuffers::create() for the errors.
  [[nodiscard]] base::Result<void> register_with(uring::Ring& ring);
  [[nodiscard]] bool registered() const { return registered_.has_value(); }

  // A free buffer, held by the caller from now on.
  [[nodiscard]] std::optional<BufferId> acquire();
  // Lends a held buffer to the kernel, for one request. `use`: Reading or Sending.
  void begin(BufferId id, BufferState use);
  // Its completion is here: the buffer is held again. `use` must be what it was lent for.
  void end(BufferId id, BufferState use);
  // A held buffer becomes free.
  void release(BufferId id);

  [[nodiscard]] BufferState state(BufferId id) const { return states_[id]; }
  [[nodiscard]] std::uint16_t count(BufferState state) const {
    return counts_[static_cast<std::size_t>(state)];
  }
  [[nodiscard]] std::uint16_t size() const { return static_cast<std::uint16_t>(states_.size()); }
  [[nodiscard]] std::size_t body_size() const { return body_size_; }

  // The whole of a held buffer: kHeadRoom bytes, then the body.
  [[nodiscard]] std::span<std::byte> memory(BufferId id) const;
  // The body alone.
  [[nodiscard]] std::span<std::byte> body(BufferId id) const {
    return memory(id).subspan(kHeadRoom);
  }

 private:
  BufferPool(uring::MappedRegion region, std::uint16_t count, std::size_t body_size);

  [[nodiscard]] std::size_t stride() const { return kHeadRoom + body_size_; }
  void move(BufferId id, BufferState from, BufferState to);

  uring::MappedRegion region_;
  std::size_t body_size_;
  std::vector<BufferState> states_;
  std::vector<BufferId> free_;  // the one used last is on top: its memory is warm
  std::array<std::uint16_t, kBufferStates> counts_{};
  std::optional<uring::RegisteredBuffers> registered_;
};

}  // namespace file_server
