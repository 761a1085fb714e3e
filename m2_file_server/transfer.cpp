#include "m2_file_server/transfer.hpp"

#include <algorithm>
#include <cerrno>

#include "common/base/check.hpp"
#include "m2_file_server/operations.hpp"

namespace file_server {
void Transfer::add(std::span<Chunk> chunks, BufferId id) {
  CHECK(to_read_ > 0);
  Chunk& chunk = chunks[id];
  chunk = Chunk{};
  chunk.offset = next_offset_;
  chunk.alignment = alignment_;
  chunk.skip = static_cast<std::uint32_t>(next_offset_ & (alignment_ - 1));
  chunk.wanted =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(to_read_, body_size_ - chunk.skip));
  next_offset_ += chunk.wanted;
  to_read_ -= chunk.wanted;
  (count_ == 0 ? front_ : chunks[back_].next) = id;
  back_ = id;
  ++count_;
}

// [snippet: next_read]
ReadRequest Transfer::next_read(const Chunk& chunk) {
  const std::uint32_t mask = chunk.alignment - 1;
  const std::uint32_t begin = chunk.got & ~mask;  // O_DIRECT may have ended between two units
  const std::uint32_t end = (chunk.skip + chunk.wanted + mask) & ~mask;
  return {.offset = chunk.offset - chunk.skip + begin, .body_begin = begin, .size = end - begin};
}

ReadOutcome Transfer::on_read(Chunk& chunk, std::int32_t res) {
  if (res < 0) {
    const bool passes = res == -EAGAIN || res == -EINTR;
    return passes && chunk.retries++ < kMostRetries ? ReadOutcome::Again : ReadOutcome::Failed;
  }
  // Where the read began: next_read() has rounded down.
  const auto bytes = static_cast<std::uint32_t>(res);
  const std::uint32_t begin = chunk.got & ~(chunk.alignment - 1);
  if (begin + bytes <= chunk.got) {
    return ReadOutcome::Ended;  // not a byte more than we had
  }
  chunk.got = begin + bytes;
  if (chunk.got < chunk.skip + chunk.wanted) {
    return ReadOutcome::Again;
  }
  chunk.filled = true;
  chunk.send_begin = static_cast<std::uint32_t>(BufferPool::kHeadRoom) + chunk.skip;
  chunk.send_end = chunk.send_begin + chunk.wanted;
  return ReadOutcome::Filled;
}
// [/snippet]

std::optional<BufferId> Transfer::ready(std::span<const Chunk> chunks) const {
  if (count_ == 0 || !chunks[front_].filled) {
    return std::nullopt;
  }
  return front_;
}

void Transfer::put_head(Chunk& chunk, std::uint32_t head_bytes) {
  CHECK(chunk.filled && head_bytes <= chunk.send_begin, "there is room for a head");
  chunk.send_begin -= head_bytes;
  chunk.head_bytes = head_bytes;
}

std::optional<BufferId> Transfer::on_sent(std::span<Chunk> chunks, std::uint32_t bytes) {
  CHECK(count_ > 0);
  Chunk& chunk = chunks[front_];
  CHECK(bytes <= chunk.send_end - chunk.send_begin, "no more is sent than there is");
  chunk.send_begin += bytes;
  chunk.head_bytes -= std::min(chunk.head_bytes, bytes);
  if (chunk.send_begin < chunk.send_end) {
    return std::nullopt;
  }
  return pop(chunks);
}

std::optional<BufferId> Transfer::pop(std::span<Chunk> chunks) {
  if (count_ == 0) {
    return std::nullopt;
  }
  const BufferId id = front_;
  front_ = chunks[id].next;
  --count_;
  return id;
}

std::size_t Transfer::unsent_bytes(std::span<const Chunk> chunks) const {
  std::size_t bytes = 0;
  BufferId id = front_;
  for (std::uint16_t i = 0; i < count_; ++i, id = chunks[id].next) {
    bytes += chunks[id].filled ? chunks[id].send_end - chunks[id].send_begin : 0;
  }
  return bytes;
}

void Transfer::rewind(std::span<const Chunk> chunks) {
  if (count_ == 0) {
    return;
  }
  const Chunk& first = chunks[front_];
  const std::uint32_t unsent =
      first.filled ? first.send_end - first.send_begin - first.head_bytes : first.wanted;
  const std::uint64_t begin = first.offset + first.wanted - unsent;
  to_read_ += next_offset_ - begin;
  next_offset_ = begin;
}

}  // namespace file_server
