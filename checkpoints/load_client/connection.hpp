#pragma once
// One connection: where its two streams stand, and which messages are on their way.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "checkpoints/load_client/byte_source.hpp"
#include "checkpoints/load_client/response_reader.hpp"
#include "common/base/unique_fd.hpp"

namespace load_client {

struct Message {
  std::uint64_t end;       // echo: the position in the stream behind its last byte
  std::uint64_t due_ns;    // when it was to be sent: its latency counts from here
  std::uint64_t given_ns;  // when it was given to the connection: its timeout counts from here
};

// Those that wait for their answer, the oldest first, in a fixed ring of memory that somebody else
// owns.
class MessageQueue {
 public:
  MessageQueue() = default;
  // The room's size is a power of two.
  explicit MessageQueue(std::span<Message> room)
      : room_(room.data()), mask_(static_cast<std::uint32_t>(room.size()) - 1) {}

  [[nodiscard]] bool empty() const { return first_ == end_; }
  [[nodiscard]] std::uint32_t size() const { return end_ - first_; }
  [[nodiscard]] const Message& front() const { return room_[first_ & mask_]; }
  [[nodiscard]] Message& operator[](std::uint32_t index) { return room_[(first_ + index) & mask_]; }
  void push(const Message& message) { room_[end_++ & mask_] = message; }
  void pop() { ++first_; }
  void clear() { first_ = end_; }

 private:
  Message* room_ = nullptr;
  std::uint32_t mask_ = 0;
  std::uint32_t first_ = 0;  // free-running, like the queues of the ring
  std::uint32_t end_ = 0;
};

enum class State : std::uint8_t {
  Queued,      // waits for its turn to connect
  Connecting,  //
  Open,        //
  Closing,     // waits for its operations to end
  Resting,     // was refused: a pause before the next try
  Dead,        // failed too often, or the run is over
  kCount
};
inline constexpr std::size_t kStates = static_cast<std::size_t>(State::kCount);

struct Connection {
  // The hot part. Positions are in bytes, from the connection's first byte.
  const ByteSource* source = nullptr;  // of what it sends
  std::uint64_t source_begin = 0;      // where in it its stream begins
  std::uint64_t wanted = 0;            // end of the last message that was given to it
  std::uint64_t sending = 0;           // end of what the kernel has been asked to send
  std::uint64_t sent = 0;
  std::uint64_t received = 0;  // echo only
  std::uint64_t issued = 0;    // messages of this life
  std::uint64_t answered = 0;
  MessageQueue messages;
  std::uint32_t target = 0;
  State state = State::Queued;
  State after_closing = State::Queued;
  bool is_slow = false;
  bool is_ready = false;  // open loop: it is in the list of those that can take a message
  bool recv_is_armed = false;
  bool send_is_armed = false;

  base::UniqueFd fd;
  std::uint32_t number = 0;      // within its target
  std::uint32_t failures = 0;    // in all its lives
  std::uint64_t lives = 0;       // how often it was opened
  std::uint64_t since_ns = 0;    // Connecting: its begin; Resting: its end
  std::uint64_t first_path = 0;  // http: of message 0 of this life, before the modulo

  ResponseReader reader;
  std::vector<std::byte> slow_buffer;
  std::uint64_t slow_credit = 0;  // byte-nanoseconds: what it may read
};

}  // namespace load_client
