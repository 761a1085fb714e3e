#pragma once
// HTTP on a connection of server::Server, from received bytes to answers out of files, with every
// read of a file and every network operation on the ring.
//
// The path of a request for a file that is open already:
//   RECV -> parse, look the file up -> READ_FIXED into a buffer, behind room for the head
//        -> look at the file's version, write the head -> SEND of head and body in one -> RECV
//
// What must hold:
// - Answers go out in the order of the requests, and a request is looked at only when the answer
//   before it has been given to the socket.
// - Every piece of a file is checked against the version that the head was written for, after it was
//   read and before it is sent. If nothing has been sent the answer begins anew, else the connection
//   is closed: never padding, never bytes of two versions.
// - A SEND does not wait (MSG_DONTWAIT): while a client does not read, a POLL_ADD waits for its
//   socket, and no buffer is lent to the kernel. So what such clients hold can be taken back for those
//   who wait for a buffer, and be read again later. However many clients do not read, the others are
//   served. What cannot be read again, the rest of a head, is copied.
// - A connection has one buffer before another has two: more than the first only while nobody waits
//   and a quarter is free.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/http/date.hpp"
#include "common/http/exchange.hpp"
#include "common/http/target_path.hpp"
#include "common/loop/op_id.hpp"
#include "common/server/server.hpp"
#include "common/server/slot_list.hpp"
#include "common/support/http_counters.hpp"
#include "common/uring/uapi.hpp"
#include "m2_file_server/buffer_pool.hpp"
#include "m2_file_server/counters.hpp"
#include "m2_file_server/file_connection.hpp"
#include "m2_file_server/file_table.hpp"
#include "m2_file_server/options.hpp"
#include "m2_file_server/pipe_pool.hpp"
#include "m2_file_server/transfer.hpp"

namespace file_server {

class FileServer {
 public:
  using Connection = FileConnection;
  using Server = server::Server<FileServer>;
  // A handler arms the reads of one answer, what sends it, or a receive.
  static constexpr std::uint32_t kMaxSqesPerHandler = kMostReadAhead + 4;

  // `root`: an open folder. All of them must outlive it.
  FileServer(int root, BufferPool& buffers, FileTable& files, const ServeOptions& options);
  FileServer(const FileServer&) = delete;
  FileServer& operator=(const FileServer&) = delete;

  // --- what Server asks for: see common/server/protocol.hpp --------------------------------------

  void start(Server& server) { server_ = &server; }
  void on_open(std::uint32_t slot);
  void on_completion(loop::OpId id, const uring::io_uring_cqe& cqe);
  void on_stale(loop::OpId id, const uring::io_uring_cqe& cqe);
  void on_deadline(std::uint32_t slot);
  void on_drain(std::uint32_t slot);
  void on_closed(std::uint32_t slot);
  void before_wait();
  [[nodiscard]] server::Waiting waiting(const Connection& connection) const;
  [[nodiscard]] std::size_t waiting_bytes(const Connection& connection) const;
  [[nodiscard]] bool is_writing(const Connection& connection) const;
  [[nodiscard]] std::uint32_t spare_descriptors() const;
  [[nodiscard]] std::string report_counters() const;
  [[nodiscard]] std::string report_details() const { return files_.as_text(); }

 private:
  // ---- from bytes to a request: file_server.cpp ----
  void receive(std::uint32_t slot);
  void on_received(std::uint32_t slot, std::int32_t res);
  // Uses up of the input what it can.
  void proceed(std::uint32_t slot);
  [[nodiscard]] bool read_head(std::uint32_t slot);  // false: more must be received, or it is over
  [[nodiscard]] bool skip_body(std::uint32_t slot);
  void receive_more(std::uint32_t slot);
  void start_header_timeout(std::uint32_t slot);
  void close_unexpected(std::uint32_t slot, const char* what, std::int32_t res);
  [[nodiscard]] static bool is_idle(const Connection& connection);

  // ---- from a request to an answer: answer.cpp ----
  void answer(std::uint32_t slot);
  void look_up(std::uint32_t slot, std::string_view path);
  void open(std::uint32_t slot);
  void on_opened(std::uint32_t slot, std::int32_t res);
  [[nodiscard]] bool should_open_again(Connection& connection, base::Errno error);
  void note_direct_refused();
  void answer_lookup(std::uint32_t slot, Lookup lookup, FileUse file);
  void answer_file(std::uint32_t slot, FileUse file);
  void redirect(std::uint32_t slot, std::string_view name);
  void refuse(std::uint32_t slot, http::Status status);  // the last answer on this connection
  void answer_error(std::uint32_t slot, http::Status status);
  void begin_text(std::uint32_t slot, const http::Response& response);
  void answer_done(std::uint32_t slot);
  [[nodiscard]] http::Request request_of(const Connection& connection) const;

  // ---- reading files: reading.cpp ----
  void read_ahead(std::uint32_t slot);
  [[nodiscard]] bool may_take_buffer(const Connection& connection) const;
  void start_piece(std::uint32_t slot, BufferId id);
  void arm_read(std::uint32_t slot, BufferId id);
  void count_read(Connection& connection);
  void uncount_read(Connection& connection);
  void on_read(std::uint32_t slot, BufferId id, std::int32_t res);
  [[nodiscard]] ReadOutcome check_version(Connection& connection, ReadOutcome outcome);
  void break_off(std::uint32_t slot, Redo redo);
  void redo(std::uint32_t slot);
  void drop_pieces(Connection& connection);
  void wait_for_buffer(std::uint32_t slot);
  void leave_list(std::uint32_t slot);
  [[nodiscard]] bool take_back();
  void keep_head(Connection& connection);

  // ---- sending: sending.cpp ----
  // Whatever this answer can do now: read, send, wait.
  void pump(std::uint32_t slot);
  // After something has been sent: the next piece, or the next request.
  void go_on(std::uint32_t slot);
  void send_text(std::uint32_t slot);
  void send_piece(std::uint32_t slot, BufferId id);
  void write_head(Connection& connection, BufferId id);
  void on_text_sent(std::uint32_t slot, std::int32_t res);
  void on_piece_sent(std::uint32_t slot, BufferId id, std::int32_t res);
  // What a SEND's completion means. False: it is over, or has to wait.
  [[nodiscard]] bool accept_sent(std::uint32_t slot, std::size_t asked, std::int32_t res);
  void put_head_into_text(Connection& connection);
  void note_head(Connection& connection);
  void wait_to_send(std::uint32_t slot);
  void on_can_send(std::uint32_t slot, std::int32_t res);
  void send_again(std::uint32_t slot);
  void stop_waiting(std::uint32_t slot);

  // ---- through pipes: splicing.cpp ----
  [[nodiscard]] bool begin_splice(Connection& connection, const http::Response& response);
  void splice_next(std::uint32_t slot);
  void on_pipe_filled(std::uint32_t slot, std::int32_t res);
  void empty_pipe(std::uint32_t slot);
  void on_pipe_emptied(std::uint32_t slot, std::int32_t res);
  void after_broken_chain(std::uint32_t slot);
  void release_pipe(Connection& connection);

  [[nodiscard]] auto link_of() {
    return
        [this](std::uint32_t slot) -> server::SlotLink& { return server_->connection(slot).link; };
  }

  int root_;
  BufferPool& buffers_;
  FileTable& files_;
  const ServeOptions& options_;
  Server* server_ = nullptr;

  std::vector<Chunk> chunks_;      // one for each buffer
  PipePool pipes_;                 // with --splice
  server::SlotList wants_buffer_;  // answers that have none
  server::SlotList blocked_;       // answers that hold buffers while their client does not read
  http::DateCache date_;
  support::HttpCounters http_;
  FileServerCounters counters_;
  bool direct_refused_ = false;  // said once
};

}  // namespace file_server
