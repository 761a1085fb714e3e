#pragma once
// Bytes of a file on their way to a client, in pieces: which piece is read next, what a read that has
// ended means, what is sent next. It knows neither ring nor file nor memory, so a test can tell it
// whatever completions it likes, in any order.
//
// A piece lies in one buffer; its record (Chunk) lies in an array beside the buffers, under the
// buffer's number. The pieces of a transfer are a list in the order of the file:
//
//   front                         back      to_read
//   [filled][filled][being read][filled]....................
//   sent in this order, one send at a time  read as buffers come
//
// What must hold:
// - A read may give fewer bytes than it was asked for, at any point, and that says nothing about the
//   end of the file: it goes on behind what it gave. Only a read of 0 bytes is the end, and before
//   the bytes that the head has promised are there it means that the file has shrunk.
// - With O_DIRECT a read begins and ends at multiples of `alignment`: `skip` bytes in front of the
//   wanted ones come along, and as many behind.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "m2_file_server/buffer_pool.hpp"

namespace file_server {

struct Chunk {
  std::uint64_t offset = 0;     // in the file, of the first wanted byte
  std::uint32_t wanted = 0;     // bytes
  std::uint32_t skip = 0;       // bytes in front of the wanted ones
  std::uint32_t got = 0;        // bytes read, those in front included
  std::uint32_t alignment = 1;  // of the reads
  std::uint8_t retries = 0;     // of reads that gave an error that passes
  bool filled = false;
  // Of a filled one: what is still to be sent, as a place in the buffer's memory; of that the first
  // `head_bytes` are of the response's head.
  std::uint32_t send_begin = 0;
  std::uint32_t send_end = 0;
  std::uint32_t head_bytes = 0;
  BufferId next = kNoBuffer;
};

// A read, as an SQE says it.
struct ReadRequest {
  std::uint64_t offset = 0;      // in the file
  std::uint32_t body_begin = 0;  // in the buffer's body
  std::uint32_t size = 0;

  friend bool operator==(const ReadRequest&, const ReadRequest&) = default;
};

enum class ReadOutcome : std::uint8_t {
  Filled,  // the piece is complete
  Again,   // ask for next_read() of the same piece
  Ended,   // the file ends before the bytes that were promised: it has shrunk
  Failed,  // an error that does not pass
};

class Transfer {
 public:
  Transfer() = default;
  // `bytes` from `first` on, in pieces of buffers with `body_size` bytes. `alignment`: a power of
  // two that divides body_size.
  Transfer(std::uint64_t first, std::uint64_t bytes, std::uint32_t alignment,
           std::uint32_t body_size)
      : next_offset_(first), to_read_(bytes), alignment_(alignment), body_size_(body_size) {}

  // --- reading: `chunks` is the array of all records ---------------------------------------------

  // Is there a piece left for which no buffer has been taken?
  [[nodiscard]] bool wants_buffer() const { return to_read_ > 0; }
  // The next piece will lie in `id`. Its first read is next_read()'s.
  void add(std::span<Chunk> chunks, BufferId id);
  [[nodiscard]] static ReadRequest next_read(const Chunk& chunk);
  // `res` is the completion's, of a read that next_read() has asked for.
  [[nodiscard]] static ReadOutcome on_read(Chunk& chunk, std::int32_t res);

  // --- sending ------------------------------------------------------------------------------------

  // The piece that is to be sent first, if it is there already.
  [[nodiscard]] std::optional<BufferId> ready(std::span<const Chunk> chunks) const;
  // The first piece gets `head_bytes` bytes of head in front of it.
  static void put_head(Chunk& chunk, std::uint32_t head_bytes);
  // So much of the first piece has been sent. The buffer, if that was the rest of the piece.
  [[nodiscard]] std::optional<BufferId> on_sent(std::span<Chunk> chunks, std::uint32_t bytes);

  // --- giving up ----------------------------------------------------------------------------------

  // Takes the first piece out, whatever its state. Nothing if there is none.
  [[nodiscard]] std::optional<BufferId> pop(std::span<Chunk> chunks);
  // As if nothing behind what was sent had been read: reading begins there again. The pieces must be
  // popped after it.
  void rewind(std::span<const Chunk> chunks);

  [[nodiscard]] std::uint16_t chunk_count() const { return count_; }
  // Bytes that are in buffers, filled, and not sent.
  [[nodiscard]] std::size_t unsent_bytes(std::span<const Chunk> chunks) const;
  // Everything was given to the socket.
  [[nodiscard]] bool done() const { return count_ == 0 && to_read_ == 0; }

 private:
  std::uint64_t next_offset_ = 0;
  std::uint64_t to_read_ = 0;
  std::uint32_t alignment_ = 1;
  std::uint32_t body_size_ = 0;
  BufferId front_ = kNoBuffer;
  BufferId back_ = kNoBuffer;
  std::uint16_t count_ = 0;
};

}  // namespace file_server
