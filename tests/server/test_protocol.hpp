#pragma once
// A protocol for the tests of common/server: an echo, whose client can order the server about. The
// first byte of what one receive brings is the order (Order); every other byte is only echoed.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/unique_fd.hpp"
#include "common/server/server.hpp"

namespace server_test {

enum Order : char {
  kFinish = 'f',            // sends kAnswerBytes and then finishes
  kFinishReceiving = 'r',   // finishes while a receive is armed
  kClose = 'c',             // closes, as soon as a receive is armed; and closes again
  kCloseReadingPipe = 't',  // the same, and a read of a pipe is armed: no cancel by socket finds it
  kFeedPipe = 'p',          // ends that read; echoed
  kDeadline = 'd',          // sets a deadline of kDeadlineNs; echoed
  kRenewDeadline = 'D',     // the same, and on_deadline() sets it once more
  kHold = 'h',              // on_drain() does nothing for this connection; echoed
  kStopReading = 's',       // receives nothing any more
  kTakeDescriptors = 'O',   // opens descriptors until there are no more; echoed
  kGiveDescriptors = 'o',   // closes them; echoed
};

inline constexpr std::size_t kAnswerBytes = 64 << 10;
inline constexpr std::uint64_t kDeadlineNs = 150'000'000;

struct TestConnection : server::Connection {
  std::vector<std::byte> bytes;  // received into, and sent from
  std::size_t sent = 0;
  std::uint32_t operations = 0;  // in flight, by our own count
  bool finishing = false;
  bool holding = false;
  bool renewing = false;
  bool left = false;  // on_closing() has come
};

class TestProtocol {
 public:
  using Connection = TestConnection;
  using Server = server::Server<TestProtocol>;
  static constexpr std::uint32_t kMaxSqesPerHandler = 2;

  TestProtocol();

  void start(Server& server) { server_ = &server; }
  void on_open(std::uint32_t slot);
  void on_completion(loop::OpId id, const uring::io_uring_cqe& cqe);
  void on_stale(loop::OpId id, const uring::io_uring_cqe& cqe);
  void on_deadline(std::uint32_t slot);
  void on_drain(std::uint32_t slot);
  void on_closing(std::uint32_t slot);
  void on_closed(std::uint32_t slot);
  void before_wait() {}
  [[nodiscard]] server::Waiting waiting(const TestConnection& connection) const;
  [[nodiscard]] std::size_t waiting_bytes(const TestConnection& connection) const;
  [[nodiscard]] bool is_writing(const TestConnection& connection) const;
  [[nodiscard]] std::uint32_t spare_descriptors() const { return 0; }
  [[nodiscard]] std::string report_counters() const;
  [[nodiscard]] std::string report_details() const;

 private:
  enum Kind : std::uint8_t { kReceive = server::kFirstProtocolKind, kSend, kReadPipe };

  [[nodiscard]] uring::io_uring_sqe& arm(std::uint32_t slot, Kind kind);
  void receive(std::uint32_t slot);
  void send(std::uint32_t slot);
  void on_received(std::uint32_t slot, std::int32_t res);
  void on_sent(std::uint32_t slot, std::int32_t res);
  void obey(std::uint32_t slot, Order order);
  void close_in_flight(std::uint32_t slot);
  void take_descriptors();

  Server* server_ = nullptr;
  base::UniqueFd pipe_out_;
  base::UniqueFd pipe_in_;
  std::vector<base::UniqueFd> taken_;
  std::uint64_t closed_calls_ = 0;
  std::uint64_t deadlines_ = 0;
};

}  // namespace server_test
