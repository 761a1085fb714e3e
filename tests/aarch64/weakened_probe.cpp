// The same functions as in barrier_probe.cpp, on queues that forget their memory orders: relaxed
// where the real ones acquire and release, no fence before the flags are read. All of this passes
// every test on x86. check_barriers must object to each function, or it would not notice the same
// mistake in common/uring.

#include <atomic>
#include <cstdint>

namespace {

std::uint32_t relaxed_load(std::uint32_t* word) {
  return std::atomic_ref(*word).load(std::memory_order_relaxed);
}

void relaxed_store(std::uint32_t* word, std::uint32_t value) {
  std::atomic_ref(*word).store(value, std::memory_order_relaxed);
}

struct WeakQueue {
  std::uint32_t local_head;
  std::uint32_t local_tail;
  std::uint32_t entries;
  std::uint32_t* head;
  std::uint32_t* tail;
  std::uint32_t* flags;
  std::uint64_t* slots;
};

}  // namespace

extern "C" {

std::uint32_t probe_sq_publish(WeakQueue& sq) {
  relaxed_store(sq.tail, sq.local_tail);
  return sq.local_tail - relaxed_load(sq.head);
}

std::uint32_t probe_sq_space_left(WeakQueue& sq) {
  return sq.entries - (sq.local_tail - relaxed_load(sq.head));
}

bool probe_sq_needs_wakeup(const WeakQueue& sq) {
  std::atomic_thread_fence(std::memory_order_acquire);
  return (relaxed_load(sq.flags) & 1U) != 0;
}

std::uint32_t probe_cq_ready(const WeakQueue& cq) {
  return relaxed_load(cq.tail) - cq.local_head;
}

void probe_cq_advance(WeakQueue& cq) {
  ++cq.local_head;
  relaxed_store(cq.head, cq.local_head);
}

std::uint32_t probe_cq_copy_out(WeakQueue& cq, std::uint64_t* out) {
  const std::uint32_t count = relaxed_load(cq.tail) - cq.local_head;
  for (std::uint32_t i = 0; i < count; ++i) {
    out[i] = cq.slots[(cq.local_head + i) & (cq.entries - 1)];
  }
  cq.local_head += count;
  relaxed_store(cq.head, cq.local_head);
  return count;
}

}  // extern "C"
