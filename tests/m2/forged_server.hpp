#pragma once
// A FileServer whose operations end as the test says. It is the real one, with the real loop and a
// real ring, in a thread of its own, but none of that thread's io_uring_enter calls reaches the
// kernel: the test takes the SQEs out of the SQ, holds them as long as it likes, and puts a CQE of its
// own into the CQ. So everything that a kernel might answer can be had, in any order.
//
// All functions are for the test's thread. The server stands still, in its io_uring_enter, except
// during turn().

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <semaphore>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "common/base/unique_fd.hpp"
#include "common/loop/op_id.hpp"
#include "common/uring/ring.hpp"
#include "common/uring/uapi.hpp"
#include "m2_file_server/buffer_pool.hpp"
#include "m2_file_server/file_table.hpp"
#include "m2_file_server/options.hpp"

namespace m2_test {

// What the server has asked for.
struct Operation {
  uring::io_uring_sqe sqe{};

  [[nodiscard]] loop::OpId id() const { return loop::unpack(sqe.user_data); }
  [[nodiscard]] std::span<std::byte> memory() const {
    return {reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(sqe.addr)), sqe.len};
  }
};

struct Client {
  std::uint32_t slot = 0;
  int fd = -1;           // the server's descriptor
  std::string received;  // what was sent to it
};

// Options without any timeouts, and with small buffers that are not registered.
[[nodiscard]] file_server::ServeOptions forged_options();

class ForgedServer {
 public:
  // Serves the files below this folder. `places`: in the table of registered files; 0: none.
  ForgedServer(const std::string& root, const file_server::ServeOptions& options,
               std::uint32_t places = 0);
  ForgedServer(const ForgedServer&) = delete;
  ForgedServer& operator=(const ForgedServer&) = delete;
  // Drains, and checks that all buffers and files come back.
  ~ForgedServer();

  // False: it has drained; or, right after the start, this machine allows no filter on system calls.
  [[nodiscard]] bool runs() const { return !over_; }

  // --- operations ----------------------------------------------------------------------------------

  // How many of this kind are in flight for the client.
  [[nodiscard]] std::size_t count(const Client& client, std::uint8_t opcode) const;
  // Takes the one that was asked for first. There must be one.
  [[nodiscard]] Operation take(const Client& client, std::uint8_t opcode);
  // It ends so: the server sees it in the next turn.
  void end(const Operation& operation, std::int32_t res);
  // The server works off what has ended, and asks for more. Or it ends: see runs().
  void turn();

  // --- what a kernel would do with one ---------------------------------------------------------------

  [[nodiscard]] Client connect();
  // Ends the RECV with these bytes, and turns.
  void receive(const Client& client, std::string_view text);
  void get(const Client& client, std::string_view path);
  // Opens the file that OPENAT2 asks for, and turns.
  void open(const Client& client);
  // Ends a READ with at most so many bytes of the file. No turn.
  void read(const Operation& operation, std::size_t most = SIZE_MAX);
  // Ends the SEND that is in flight after at most so many bytes, and turns.
  void send(Client& client, std::size_t most = SIZE_MAX);
  // Goes on as a kernel and a willing client would, until the client has this many bytes.
  void serve(Client& client, std::size_t bytes);
  // A signal for the server.
  void signal(int number);

  // --- a look inside ---------------------------------------------------------------------------------

  [[nodiscard]] const file_server::BufferPool& buffers() const { return *buffers_; }
  [[nodiscard]] const file_server::FileTable& files() const { return *files_; }
  // Whether the server has closed its descriptor.
  [[nodiscard]] bool has_closed(const Client& client) const;

 private:
  void run_server(const file_server::ServeOptions& options, const uring::Features& features,
                  std::uint32_t places);
  void wait_for_enter();
  void take_sqes();
  void take(const uring::io_uring_sqe& sqe);
  void cancel(const uring::io_uring_sqe& sqe);
  void end_all();

  base::UniqueFd root_;
  std::thread supervisor_;
  std::binary_semaphore entered_{0};
  std::binary_semaphore resumed_{0};
  std::atomic<bool> over_ = false;

  // The server's, while it runs.
  uring::Ring* ring_ = nullptr;
  const file_server::BufferPool* buffers_ = nullptr;
  const file_server::FileTable* files_ = nullptr;
  pthread_t thread_{};

  std::vector<Operation> in_flight_;
  std::vector<base::UniqueFd> peers_;  // the other ends of the connections
  std::vector<int> closed_;
  int exit_status_ = -1;
  std::uint16_t buffers_left_ = 0;  // that have not come back
};

}  // namespace m2_test
