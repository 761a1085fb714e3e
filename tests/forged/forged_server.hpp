#pragma once
// A server whose operations end as the test says. It is the real one, with the real loop and a real
// ring, in a thread of its own, but none of that thread's io_uring_enter calls reaches the kernel: the
// test takes the SQEs out of the SQ, holds them as long as it likes, and puts a CQE of its own into
// the CQ. So everything that a kernel might answer can be had, in any order.
//
// Who derives from it makes the server, and knows what it serves.
//
// All functions are for the test's thread. The server stands still, in its io_uring_enter, except
// during turn().

#include <linux/seccomp.h>
#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <semaphore>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "common/base/unique_fd.hpp"
#include "common/loop/op_id.hpp"
#include "common/uring/features.hpp"
#include "common/uring/ring.hpp"
#include "common/uring/uapi.hpp"
#include "tests/forged/provided_buffers.hpp"
#include "tests/kernel/supervised_calls.hpp"

namespace forged {

// What the server has asked for.
struct Operation {
  uring::io_uring_sqe sqe{};
  // Of a SENDMSG. KERNEL: the list of pieces is copied when it is submitted, so here, too.
  std::vector<std::span<std::byte>> pieces = {};
  std::uint32_t delivered = 0;  // bytes that a RECV has brought

  [[nodiscard]] loop::OpId id() const { return loop::unpack(sqe.user_data); }
  [[nodiscard]] std::span<std::byte> memory() const {
    return {reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(sqe.addr)), sqe.len};
  }
  // Of a RECV or ACCEPT: one completion after the other.
  [[nodiscard]] bool is_multishot() const;
  // Of a SEND or SENDMSG: what it says at this moment.
  [[nodiscard]] std::string text() const;
};

// What an io_uring_enter waits for.
struct Wait {
  std::uint32_t completions = 0;
  std::uint32_t min_wait_us = 0;  // after which fewer will do; 0: never
};

struct Client {
  std::uint32_t slot = 0;
  int fd = -1;           // the server's descriptor, or its place in the table of files
  std::string received;  // what was sent to it
};

class ForgedServer {
 public:
  ForgedServer() = default;
  ForgedServer(const ForgedServer&) = delete;
  ForgedServer& operator=(const ForgedServer&) = delete;
  virtual ~ForgedServer();

  // False: it has drained; or, right after the start, this machine allows no filter on system calls.
  [[nodiscard]] bool runs() const { return !over_; }

  // --- operations ----------------------------------------------------------------------------------

  // How many of this kind are in flight, for the client or at all.
  [[nodiscard]] std::size_t count(const Client& client, std::uint8_t opcode) const;
  [[nodiscard]] std::size_t count(std::uint8_t opcode) const;
  // The one that was asked for first. There must be one.
  [[nodiscard]] Operation find(const Client& client, std::uint8_t opcode) const;
  [[nodiscard]] Operation find(std::uint8_t opcode) const;
  // The same, and it is in flight no more.
  [[nodiscard]] Operation take(const Client& client, std::uint8_t opcode);
  [[nodiscard]] Operation take(std::uint8_t opcode);
  // This one, which is in flight.
  [[nodiscard]] Operation take(const Operation& operation);
  [[nodiscard]] const std::vector<Operation>& in_flight() const { return in_flight_; }

  // It ends so: the server sees it in the next turn.
  void end(const Operation& operation, std::int32_t res, std::uint32_t flags = 0);
  // A completion of one that goes on (F_MORE), and stays in flight.
  void go_on(const Operation& operation, std::int32_t res, std::uint32_t flags = 0);
  // The server works off what has ended, and asks for more. Or it ends: see runs().
  void turn();
  // Turns until it is so, for those who wait by the clock. False: it takes too long.
  [[nodiscard]] bool turn_until(const std::function<bool()>& is_so);

  // CANCEL, CLOSE and SHUTDOWN end at once. From now on those of this kind are the test's, too.
  void hold(std::uint8_t opcode) { held_.insert(opcode); }
  // What the kernel does with one of those. The target of a CANCEL ends with -ECANCELED, if there is
  // one in flight.
  void perform(const Operation& operation);

  // --- what a kernel would do with one ---------------------------------------------------------------

  // A multishot ACCEPT goes on, unless it `ends` with this connection.
  [[nodiscard]] Client connect(bool ends = false);
  // Ends the RECV, which brings its own memory, with these bytes, and turns.
  void receive(const Client& client, std::string_view text);
  // Brings of this text what fits into the next buffer to the RECV, which chooses its buffers, and
  // returns how many bytes. As the kernel does it, a multishot goes on until its limit is reached;
  // unless it `ends` with these bytes. 0: there is no buffer, and it has ended with -ENOBUFS. No turn.
  std::size_t deliver(const Client& client, std::string_view text, bool ends = false);
  // Ends the SEND or SENDMSG that is in flight after at most so many bytes, and turns.
  void send(Client& client, std::size_t most = SIZE_MAX);
  // The same without a turn, of this one.
  void end_send(Client& client, const Operation& operation, std::size_t most = SIZE_MAX);
  // A signal for the server.
  void signal(int number);

  // --- a look inside ---------------------------------------------------------------------------------

  // What the enter in which the server stands waits for.
  [[nodiscard]] const Wait& wait() const { return wait_; }
  // Whether the server has closed its descriptor.
  [[nodiscard]] bool has_closed(const Client& client) const;
  [[nodiscard]] ProvidedBuffers& provided() { return provided_; }

 protected:
  // Runs `serve`, which returns an exit status, in the server's thread, up to its first
  // io_uring_enter. It calls watch() before that.
  void start(std::function<int()> serve);
  void watch(uring::Ring& ring);
  // Drains, and checks the exit status. For the destructor of who has called start(): what `serve`
  // works with must be there.
  void drain();
  // With what an operation ends so that it leads to no other. Nothing: it does not wait for a client.
  [[nodiscard]] virtual std::optional<std::int32_t> last_result(const Operation& operation) const;
  // The slot of the connection that has just been accepted: here, of who receives from it.
  [[nodiscard]] virtual std::uint32_t slot_of(int fd) const;

 private:
  [[nodiscard]] kernel_test::CallAnswer answer(const seccomp_data& call);
  void wait_for_enter();
  void take_sqes();
  void take(const uring::io_uring_sqe& sqe);
  void cancel(const uring::io_uring_sqe& sqe);
  void close(const uring::io_uring_sqe& sqe);
  void end_all();
  void post(const Operation& operation, std::int32_t res, std::uint32_t flags);
  [[nodiscard]] std::optional<std::size_t> index_of(
      const std::function<bool(const Operation&)>& is_meant) const;
  [[nodiscard]] std::size_t need(const std::function<bool(const Operation&)>& is_meant) const;
  [[nodiscard]] Operation take_at(std::size_t index);
  void expect_unused(const Buffer& buffer) const;
  [[nodiscard]] int new_descriptor(const Operation& accept);

  std::thread supervisor_;
  std::binary_semaphore entered_{0};
  std::binary_semaphore resumed_{0};
  std::atomic<bool> over_ = false;

  // The server's, while it runs.
  uring::Ring* ring_ = nullptr;
  pthread_t thread_{};

  Wait wait_;
  std::vector<Operation> in_flight_;
  std::set<std::uint8_t> held_;
  ProvidedBuffers provided_;
  std::vector<base::UniqueFd> peers_;  // the other ends of the connections
  int next_place_ = 0;
  std::vector<int> closed_;
  int exit_status_ = -1;
};

// What this machine's kernel has, asked once.
[[nodiscard]] const uring::Features& kernel_features();

}  // namespace forged
