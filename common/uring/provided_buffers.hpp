#pragma once
// A group of equal buffers that the kernel chooses from (IOSQE_BUFFER_SELECT), with the accounts of
// who owns which buffer.
//
//           replenish: give_back(id), then publish()
//    ours  ------------------------------------------>  the kernel's
//          <------------------------------------------
//           a CQE with IORING_CQE_F_BUFFER: take(cqe)
//
// Only F_BUFFER says that a buffer came: an EOF, an error or ENOBUFS carries none, and giving back
// "the buffer" of such a completion hands the kernel memory that another connection is using. The
// accounts make that a CHECK instead of a leak of somebody's bytes.
//
// Where the kernel has no buffer rings (before 5.19, or masked), buffers go back by PROVIDE_BUFFERS
// requests in the ring's SQ: the same calls, one SQE per run of neighbouring ids.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "common/base/errno.hpp"
#include "common/uring/buffer_ring.hpp"
#include "common/uring/features.hpp"
#include "common/uring/mapped_region.hpp"
#include "common/uring/ring.hpp"

namespace uring {

struct ProvidedBuffersOptions {
  std::uint16_t group = 0;           // chosen by the application, unique in its ring
  std::uint32_t count = 256;         // a power of two, at most 32768
  std::uint32_t buffer_size = 4096;  // bytes
};

class ProvidedBuffers {
 public:
  // Maps the memory and hands all of it to the kernel. EEXIST: the group is taken. ENOMEM. EINVAL:
  // the count is no power of two or too large. In the fallback form the ring's SQ must have room
  // for one SQE, which leaves with the next submit.
  [[nodiscard]] static base::Result<ProvidedBuffers> create(Ring& ring, const Features& features,
                                                            const ProvidedBuffersOptions& options);

  ProvidedBuffers(ProvidedBuffers&& other) noexcept = default;
  ProvidedBuffers& operator=(ProvidedBuffers&&) = delete;
  ProvidedBuffers(const ProvidedBuffers&) = delete;
  ProvidedBuffers& operator=(const ProvidedBuffers&) = delete;
  // Unregisters the group (or removes its buffers) and unmaps. No request that selects from the
  // group may be in flight: the kernel would write into memory that is gone.
  ~ProvidedBuffers();

  // The bytes that a completion brought. `cqe` has F_BUFFER and a res >= 0; the buffer is ours from
  // here until give_back().
  [[nodiscard]] std::span<std::byte> take(const io_uring_cqe& cqe);
  // The whole buffer with this id, whoever has it.
  [[nodiscard]] std::span<std::byte> buffer(std::uint16_t buffer_id) const;

  // Queues one of our buffers to go back to the kernel with the next publish().
  void give_back(std::uint16_t buffer_id);
  // Hands the queued buffers over. Fallback form: fails with ENOBUFS when the SQ is too full to take
  // its requests; what could not be queued stays queued.
  base::Result<void> publish();

  [[nodiscard]] std::uint16_t group() const { return group_; }
  [[nodiscard]] std::uint32_t count() const { return count_; }
  [[nodiscard]] std::uint32_t buffer_size() const { return buffer_size_; }
  // How many the kernel may still choose from, as far as the completions seen so far tell.
  [[nodiscard]] std::uint32_t with_kernel() const { return with_kernel_; }
  // Given back, waiting for publish().
  [[nodiscard]] std::uint32_t queued() const { return static_cast<std::uint32_t>(queue_.size()); }
  [[nodiscard]] bool uses_buffer_ring() const { return ring_form_.has_value(); }

  // The id in a completion's flags. Only meaningful with IORING_CQE_F_BUFFER.
  [[nodiscard]] static std::uint16_t buffer_id(const io_uring_cqe& cqe) {
    return static_cast<std::uint16_t>(cqe.flags >> IORING_CQE_BUFFER_SHIFT);
  }

 private:
  enum class Owner : std::uint8_t { Us, Queued, Kernel };

  // Moved-from objects must not unregister.
  struct RingOwner {
    Ring* ring = nullptr;
    explicit RingOwner(Ring& r) : ring(&r) {}
    RingOwner(RingOwner&& other) noexcept : ring(std::exchange(other.ring, nullptr)) {}
  };

  ProvidedBuffers(Ring& ring, const ProvidedBuffersOptions& options, MappedRegion memory);
  [[nodiscard]] base::Result<void> register_ring();
  [[nodiscard]] base::Result<void> publish_by_requests();

  RingOwner owner_ring_;
  std::uint16_t group_;
  std::uint32_t count_;
  std::uint32_t buffer_size_;
  MappedRegion memory_;       // the buffers, one after the other
  MappedRegion ring_memory_;  // the buffer ring; empty in the fallback form
  std::optional<BufferRing> ring_form_;
  std::vector<Owner> owners_;         // by buffer id
  std::vector<std::uint16_t> queue_;  // ids to hand over; never grows beyond count
  std::uint32_t with_kernel_ = 0;
};

}  // namespace uring
