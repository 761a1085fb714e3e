#pragma once
// HTTP on a connection of the Server: from received bytes to answers.
//
// The path of a request that arrives whole: recv into a buffer that all connections share, parse it
// there, find the file in the cache, write the head and read the file (pread) into the batch, one
// send(). A pipelining client gets the answers to all that one recv brought with one send.
//
// What must hold:
// - Answers go out in the order of the requests, and a request is looked at only when the answer
//   before it has been given to the socket, or lies in the batch. So what waits for a client in our
//   memory is one batch at most, however much it asks for and however slowly it reads.
// - A client's share of one turn is bounded, in requests and in bytes. If it could go on, it is put
//   into a queue and goes on at the end of the turn, after all others had theirs.
// - EPOLLIN and EPOLLOUT are never wanted at the same time (see HttpConnection).
//
// There is no 503 for a client too many: the Server stops accepting instead, and who waits in the
// kernel's queue is served when another one has gone. A 503 would cost the descriptor that is
// missing. What does get one is a request for a file that we have no descriptor left to open.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/http/date.hpp"
#include "common/http/exchange.hpp"
#include "common/http/target_path.hpp"
#include "common/support/http_counters.hpp"
#include "docs/epoll_reference/http/file_cache.hpp"
#include "docs/epoll_reference/http/http_connection.hpp"
#include "docs/epoll_reference/http/http_counters.hpp"
#include "docs/epoll_reference/http/http_options.hpp"
#include "docs/epoll_reference/http/reply_batch.hpp"
#include "docs/epoll_reference/reactor/reactor.hpp"
#include "docs/epoll_reference/server/connection_pool.hpp"
#include "docs/epoll_reference/server/protocol.hpp"

namespace epoll_reference {

class HttpProtocol : public Protocol {
 public:
  // `root`: an open folder. All of them must outlive the protocol.
  HttpProtocol(Reactor& reactor, int root, const HttpOptions& options);

  Connection& make() override;
  void recycle(Connection& connection) override;
  [[nodiscard]] std::uint32_t first_interest() const override;
  void on_open(Connection& connection) override;
  void on_events(Connection& connection, std::uint32_t events) override;
  void on_deadline(Connection& connection) override;
  void on_drain(Connection& connection) override;
  [[nodiscard]] bool is_writing(const Connection& connection) const override;
  [[nodiscard]] std::uint32_t spare_descriptors() const override;
  [[nodiscard]] std::string counters_text() const override;

 private:
  // How far a connection got.
  enum class Step : std::uint8_t {
    Done,        // that is done, what comes next?
    NeedsInput,  // from the client
    Blocked,     // the socket takes no more
    TurnUsedUp,
    Closed,
  };
  // What a connection may still do in this turn.
  struct Share {
    unsigned requests;
    std::uint64_t bytes;
  };

  // ---- the course of a connection: http_protocol.cpp ----
  Step receive(HttpConnection& connection, std::string_view& input);
  // Uses up of `input` what it can.
  void advance(HttpConnection& connection, std::string_view input);
  Step next_step(HttpConnection& connection, std::string_view& input, Share& share);
  void settle(HttpConnection& connection, Step step);
  void wait_for_input(HttpConnection& connection);
  void start_header_timeout(HttpConnection& connection);
  void wait_for_turn(HttpConnection& connection);
  void run_waiting();
  [[nodiscard]] static bool is_idle(const HttpConnection& connection);

  // ---- from bytes to a request: http_protocol.cpp ----
  Step read_head(HttpConnection& connection, std::string_view& input);
  Step skip_body(HttpConnection& connection, std::string_view& input);
  // Answers what cannot be read on, and ends.
  Step refuse(HttpConnection& connection, http::Status status);

  // ---- from a request to an answer: http_answer.cpp ----
  void answer(HttpConnection& connection, const http::Request& request);
  void answer_path(HttpConnection& connection, const http::Request& request,
                   const http::TargetPath& path);
  void redirect(HttpConnection& connection, const http::Request& request, std::string_view name);
  [[nodiscard]] Lookup find_index(std::string_view folder, FileUse& file);
  void begin_answer(HttpConnection& connection, const http::Response& response);

  // ---- sending: http_send.cpp ----
  // Gives the batch to the socket. `more`: a piece of a file follows at once.
  // `of_body`: so many of its last bytes are of a body that goes on: what the socket does not take
  // of them is read again later, and not kept.
  Step send_batch(HttpConnection& connection, bool more = false, std::size_t of_body = 0);
  Step keep_for_later(HttpConnection& connection, std::span<const std::byte> rest);
  Step flush_waiting(HttpConnection& connection);
  Step send_body(HttpConnection& connection, Share& share);
  Step send_by_sendfile(HttpConnection& connection, Share& share);
  Step sendfile_failed(HttpConnection& connection, base::Errno error);
  Step read_into_batch(HttpConnection& connection, Share& share);
  void count_body(FileBody& body, Share& share, std::uint64_t bytes);
  [[nodiscard]] bool is_same_version(FileBody& body) const;
  Step break_off(HttpConnection& connection);

  Reactor& reactor_;
  const HttpOptions& options_;
  FileCache cache_;
  ConnectionPool<HttpConnection> pool_;  // before the cache in destruction: see FileUse
  ReplyBatch batch_;
  std::unique_ptr<char[]> received_;
  std::size_t input_capacity_;            // what a connection may hold
  std::vector<HttpConnection*> waiting_;  // for their next turn
  std::vector<HttpConnection*> running_;  // those of this turn
  http::DateCache date_;
  support::HttpCounters counters_;
  HttpWorkCounters work_;
};

}  // namespace epoll_reference
