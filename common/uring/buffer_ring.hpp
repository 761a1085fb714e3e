#pragma once
// The provided-buffer ring: a third queue shared with the kernel (5.19). We are its only producer:
// each entry names a piece of memory and a buffer id of our choice. The kernel takes entries from
// the front whenever a request with IOSQE_BUFFER_SELECT needs memory. Its head is not shared: only
// completions tell which buffers were taken.
//
// Like the two queues this is an algorithm on a pointer. Memory, registration and the fallback for
// older kernels are in provided_buffers.hpp.
//
// What must hold:
//  - The tail lies inside the first entry (its `resv` field), so an entry is written field by
//    field: assigning a whole entry 0 would overwrite the tail.
//  - At most `entries` buffers are with the kernel at any time; the caller counts.

#include <atomic>
#include <bit>
#include <cstdint>

#include "common/base/check.hpp"
#include "common/uring/uapi.hpp"

namespace uring {

class BufferRing {
 public:
  // `ring` has room for `entries` (a power of two, at most 32768) and starts empty.
  BufferRing(io_uring_buf_ring* ring, std::uint32_t entries)
      : ring_(ring), mask_(static_cast<std::uint16_t>(entries - 1)) {
    CHECK(std::has_single_bit(entries) && entries <= 32768);
  }

  // Queues a buffer for the kernel, unseen by it until publish().
  // [snippet: buffer_ring_add]
  void add(void* address, std::uint32_t size, std::uint16_t buffer_id) {
    io_uring_buf& entry = entries()[local_tail_ & mask_];
    entry.addr = reinterpret_cast<std::uintptr_t>(address);
    entry.len = size;
    entry.bid = buffer_id;
    ++local_tail_;
  }
  // [/snippet]

  // Shows the kernel everything added so far.
  void publish() {
    // BARRIER: release, pairs with the kernel's load-acquire of the tail (io_uring/kbuf.c,
    // io_ring_buffer_select). A buffer chosen by a request on another CPU is described by entries
    // written before this store.
    std::atomic_ref(ring_->tail).store(local_tail_, std::memory_order_release);
  }

  [[nodiscard]] std::uint16_t local_tail() const { return local_tail_; }

 private:
  [[nodiscard]] io_uring_buf* entries() const { return reinterpret_cast<io_uring_buf*>(ring_); }

  io_uring_buf_ring* ring_;
  std::uint16_t mask_;
  std::uint16_t local_tail_ = 0;  // free-running; the kernel's tail is 16 bits wide as well
};

}  // namespace uring
