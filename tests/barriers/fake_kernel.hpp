#pragma once
// The kernel's halves of the three shared queues, over plain arrays. A unit test plays them from
// the same thread, step by step; the barrier programs play them from another thread, at full speed.
//
// Each half uses the kernel's own orders, so that what ThreadSanitizer reports is a mistake on our
// side. The names in the comments are functions of the kernel's io_uring/ folder.

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/uring/buffer_ring.hpp"
#include "common/uring/completion_queue.hpp"
#include "common/uring/submission_queue.hpp"

namespace fake_kernel {

// On a cache line of its own, so that two words never travel together by accident.
struct alignas(64) SharedWord {
  std::uint32_t value = 0;
};

enum class SqArray : std::uint8_t { Present, Absent };  // Absent: IORING_SETUP_NO_SQARRAY

// Takes SQEs. io_uring.c: io_sqring_entries(), io_get_sqe(), io_commit_sqring().
class SubmissionSide {
 public:
  // `entries` is a power of two. Both indices start at `first_index`.
  SubmissionSide(std::uint32_t entries, std::uint32_t first_index, SqArray array = SqArray::Present)
      : sqes_(entries), array_(array == SqArray::Present ? entries : 0, kNoIndex) {
    head_.value = first_index;
    tail_.value = first_index;
  }

  [[nodiscard]] uring::SqPointers pointers() {
    return {.head = &head_.value,
            .tail = &tail_.value,
            .flags = &flags_.value,
            .dropped = &dropped_.value,
            .array = array_.empty() ? nullptr : array_.data(),
            .sqes = sqes_.data(),
            .entries = entries()};
  }

  // Copies up to `most` published SQEs, oldest first, handing each to `handle`, and then gives all
  // their slots back at once. Returns how many slots that were.
  template <class Handle>
  std::uint32_t take(std::uint32_t most, Handle handle) {
    // Pairs with our store-release of the tail.
    const std::uint32_t tail = std::atomic_ref(tail_.value).load(std::memory_order_acquire);
    std::uint32_t head = head_.value;  // nobody else writes it
    std::uint32_t taken = 0;
    for (; taken < most && head != tail; ++taken, ++head) {
      const std::uint32_t slot = head & (entries() - 1);
      const std::uint32_t index = array_.empty() ? slot : array_[slot];
      if (index >= entries()) {
        std::atomic_ref(dropped_.value).fetch_add(1, std::memory_order_relaxed);
        continue;
      }
      const uring::io_uring_sqe copy = sqes_[index];
      handle(copy);
    }
    if (taken > 0) {
      // Pairs with our load-acquire of the head: the copies above are complete.
      std::atomic_ref(head_.value).store(head, std::memory_order_release);
    }
    return taken;
  }

  // Whether there is an SQE to take: what the SQPOLL thread asks before it sleeps.
  [[nodiscard]] bool has_published() {
    return std::atomic_ref(tail_.value).load(std::memory_order_acquire) != head_.value;
  }

  void set_flags(std::uint32_t bits) {
    std::atomic_ref(flags_.value).fetch_or(bits, std::memory_order_relaxed);
  }
  void clear_flags(std::uint32_t bits) {
    std::atomic_ref(flags_.value).fetch_and(~bits, std::memory_order_relaxed);
  }

  [[nodiscard]] std::uint32_t entries() const { return static_cast<std::uint32_t>(sqes_.size()); }
  [[nodiscard]] uring::io_uring_sqe& sqe(std::uint32_t slot) { return sqes_[slot]; }
  [[nodiscard]] const std::vector<std::uint32_t>& array() const { return array_; }
  [[nodiscard]] std::uint32_t& tail() { return tail_.value; }
  [[nodiscard]] std::uint32_t& dropped() { return dropped_.value; }

 private:
  static constexpr std::uint32_t kNoIndex = 0xffff'ffff;

  SharedWord head_;
  SharedWord tail_;
  SharedWord flags_;
  SharedWord dropped_;
  std::vector<uring::io_uring_sqe> sqes_;
  std::vector<std::uint32_t> array_;
};

// Posts CQEs. io_uring.c: io_cqe_cache_refill(), io_commit_cqring().
class CompletionSide {
 public:
  CompletionSide(std::uint32_t entries, std::uint32_t first_index)
      : cqes_(entries), cached_tail_(first_index) {
    head_.value = first_index;
    tail_.value = first_index;
  }

  [[nodiscard]] uring::CqPointers pointers() {
    return {.head = &head_.value,
            .tail = &tail_.value,
            .overflow = &overflow_.value,
            .cqes = cqes_.data(),
            .entries = entries()};
  }

  // Fills the next slot, unseen until commit(). False when the CQ is full.
  [[nodiscard]] bool post(const uring::io_uring_cqe& cqe) {
    if (known_free_ == 0) {
      // Pairs with our store-release of the head. The kernel reads the head plainly: that the slot
      // is written only behind a branch on this value (a control dependency) keeps the two in
      // order on every CPU that Linux knows. The C++ model has no control dependencies, and
      // ThreadSanitizer follows that model, so here the same order is asked for as an acquire.
      const std::uint32_t head = std::atomic_ref(head_.value).load(std::memory_order_acquire);
      known_free_ = entries() - (cached_tail_ - head);
      if (known_free_ == 0) {
        return false;
      }
    }
    cqes_[cached_tail_ & (entries() - 1)] = cqe;
    ++cached_tail_;
    --known_free_;
    return true;
  }

  // Shows everything posted.
  void commit() {
    // Pairs with our load-acquire of the tail.
    std::atomic_ref(tail_.value).store(cached_tail_, std::memory_order_release);
  }

  [[nodiscard]] std::uint32_t entries() const { return static_cast<std::uint32_t>(cqes_.size()); }
  [[nodiscard]] uring::io_uring_cqe& cqe(std::uint32_t slot) { return cqes_[slot]; }
  [[nodiscard]] std::uint32_t& head() { return head_.value; }
  [[nodiscard]] std::uint32_t& overflow() { return overflow_.value; }

 private:
  SharedWord head_;
  SharedWord tail_;
  SharedWord overflow_;
  std::vector<uring::io_uring_cqe> cqes_;
  std::uint32_t cached_tail_;
  std::uint32_t known_free_ = 0;  // slots that may be filled before the head is read again
};

// Takes provided buffers. kbuf.c: io_ring_buffer_select(). Its head is the kernel's secret.
class BufferSide {
 public:
  explicit BufferSide(std::uint32_t entries) : entries_(entries) {}

  [[nodiscard]] uring::io_uring_buf_ring* ring() {
    return reinterpret_cast<uring::io_uring_buf_ring*>(entries_.data());
  }

  // The next buffer, or nothing: the kernel would answer ENOBUFS.
  [[nodiscard]] std::optional<uring::io_uring_buf> take() {
    // Pairs with our store-release of the tail.
    const std::uint16_t tail = std::atomic_ref(ring()->tail).load(std::memory_order_acquire);
    if (tail == head_) {
      return std::nullopt;
    }
    const uring::io_uring_buf& entry = entries_[head_ & (entries_.size() - 1)];
    ++head_;
    // Field by field, like the kernel: the fourth field of entry 0 is the tail.
    return uring::io_uring_buf{.addr = entry.addr, .len = entry.len, .bid = entry.bid, .resv = 0};
  }

  [[nodiscard]] uring::io_uring_buf& entry(std::uint32_t slot) { return entries_[slot]; }

 private:
  std::vector<uring::io_uring_buf> entries_;
  std::uint16_t head_ = 0;
};

}  // namespace fake_kernel
