#include "docs/epoll_reference/http/http_protocol.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <span>

#include "common/base/check.hpp"
#include "common/support/counters.hpp"
#include "docs/epoll_reference/server/server.hpp"

namespace epoll_reference {

namespace {

constexpr std::uint64_t kRecheckNs = 1'000'000'000;
constexpr std::size_t kReceiveBytes = 16 << 10;
// A head with the longest location, and the text of an error.
constexpr std::size_t kRoomForAnswer = 8 << 10;
// A batch is all that may have to wait for a client: see --max-buffered.
constexpr std::size_t kLeastBatchBytes = 2 * kRoomForAnswer;
constexpr std::size_t kMostBatchBytes = 64 << 10;

// One turn's share of a client. Large enough that a file of 1 MiB needs one sendfile() and one look
// at its version; how much of it the socket really takes is bounded by its send buffer.
constexpr unsigned kRequestsPerTurn = 64;
constexpr std::uint64_t kBytesPerTurn = 1 << 20;

HttpConnection& http_of(Connection& connection) {
  return static_cast<HttpConnection&>(connection);
}

const HttpConnection& http_of(const Connection& connection) {
  return static_cast<const HttpConnection&>(connection);
}

}  // namespace

HttpProtocol::HttpProtocol(Reactor& reactor, int root, const HttpOptions& options)
    : reactor_(reactor),
      options_(options),
      cache_(root, options.file_cache, kRecheckNs),
      batch_(std::clamp(options.server.max_buffered, kLeastBatchBytes, kMostBatchBytes)),
      received_(std::make_unique_for_overwrite<char[]>(kReceiveBytes)),
      input_capacity_(options.limits.max_head_bytes + kReceiveBytes) {}

bool HttpProtocol::is_writing(const Connection& erased) const {
  const HttpConnection& connection = http_of(erased);
  return connection.out.waiting() || connection.body.left > 0;
}

std::uint32_t HttpProtocol::spare_descriptors() const {
  return static_cast<std::uint32_t>(options_.file_cache);
}

Connection& HttpProtocol::make() {
  HttpConnection& connection = pool_.make();
  connection.parser = http::RequestParser(options_.limits);
  return connection;
}

void HttpProtocol::recycle(Connection& connection) {
  CHECK(!http_of(connection).waits_for_turn, "run_waiting() was deferred before the recycling");
  pool_.recycle(http_of(connection));
}

std::uint32_t HttpProtocol::first_interest() const {
  return EPOLLIN;
}

void HttpProtocol::on_open(Connection& connection) {
  // The server's own limit may be less than a batch, see the constructor.
  connection.out = WriteBuffer(batch_.capacity());
  start_header_timeout(http_of(connection));
}

void HttpProtocol::on_events(Connection& erased, std::uint32_t events) {
  HttpConnection& connection = http_of(erased);
  if ((events & EPOLLERR) != 0) {
    connection.server->close(connection, CloseReason::Error);
    return;
  }
  if (connection.waits_for_turn) {
    return;
  }
  std::string_view input = connection.input.contents();
  const Step step = connection.blocked ? flush_waiting(connection) : receive(connection, input);
  if (step == Step::Done) {
    advance(connection, input);
  }
}

void HttpProtocol::on_deadline(Connection& erased) {
  HttpConnection& connection = http_of(erased);
  refuse(connection, http::Status::RequestTimeout);
  advance(connection, {});
}

void HttpProtocol::on_drain(Connection& connection) {
  if (is_idle(http_of(connection))) {
    connection.server->finish(connection);
  }
}

std::string HttpProtocol::counters_text() const {
  return support::counters_as_text(counters_) + support::counters_as_text(work_) +
         support::counters_as_text(cache_.counters());
}

HttpProtocol::Step HttpProtocol::receive(HttpConnection& connection, std::string_view& input) {
  const bool to_shared = connection.input.empty();
  const std::span<char> space =
      to_shared ? std::span(received_.get(), kReceiveBytes) : connection.input.space();
  CHECK(!space.empty(), "a head that fills the buffer has been refused");
  const ssize_t count = ::recv(connection.fd, space.data(), space.size(), 0);
  if (count > 0) {
    const auto size = static_cast<std::size_t>(count);
    connection.server->note_received(connection, size);
    if (to_shared) {
      input = {space.data(), size};
    } else {
      connection.input.received(size);
      input = connection.input.contents();
    }
    return Step::Done;
  }
  if (count < 0 && base::last_error().value == EAGAIN) {
    return Step::NeedsInput;
  }
  connection.server->close(connection, count == 0 ? CloseReason::Done : CloseReason::Error);
  return Step::Closed;
}

void HttpProtocol::advance(HttpConnection& connection, std::string_view input) {
  Share share{.requests = kRequestsPerTurn, .bytes = kBytesPerTurn};
  Step step = Step::Done;
  while (step == Step::Done && !(connection.ending && connection.body.left == 0)) {
    step = next_step(connection, input, share);
  }
  if (batch_.size() > 0) {
    if (const Step sent = send_batch(connection); sent != Step::Done) {
      step = sent;
    }
  }
  if (step != Step::Closed) {
    connection.input.keep(connection.ending ? std::string_view() : input, input_capacity_);
    settle(connection, step);
  }
}

HttpProtocol::Step HttpProtocol::next_step(HttpConnection& connection, std::string_view& input,
                                           Share& share) {
  if (connection.body.left > 0) {
    return send_body(connection, share);
  }
  if (share.requests == 0 || share.bytes == 0) {
    return Step::TurnUsedUp;
  }
  if (batch_.space().size() < kRoomForAnswer) {
    return send_batch(connection);
  }
  --share.requests;
  return connection.held_head.empty() ? read_head(connection, input) : skip_body(connection, input);
}

void HttpProtocol::settle(HttpConnection& connection, Step step) {
  switch (step) {
    case Step::Done:
      connection.server->finish(connection);
      break;
    case Step::Blocked:
      connection.blocked = true;
      connection.server->watch(connection, EPOLLOUT);
      if (!connection.input.empty()) {
        connection.server->stop_reading(connection);
      }
      break;
    case Step::TurnUsedUp:
      wait_for_turn(connection);
      break;
    case Step::NeedsInput:
      wait_for_input(connection);
      break;
    case Step::Closed:
      break;
  }
}

void HttpProtocol::wait_for_input(HttpConnection& connection) {
  connection.blocked = false;
  connection.server->resume_reading(connection);
  if (connection.server->draining() && is_idle(connection)) {
    connection.server->finish(connection);
    return;
  }
  connection.server->watch(connection, EPOLLIN);
  if (!connection.input.empty() && connection.deadline_ns == 0) {
    start_header_timeout(connection);
  }
}

void HttpProtocol::start_header_timeout(HttpConnection& connection) {
  if (options_.header_timeout.count() > 0) {
    connection.server->set_deadline(
        connection,
        reactor_.turn_ns() + static_cast<std::uint64_t>(options_.header_timeout.count()));
  }
}

void HttpProtocol::wait_for_turn(HttpConnection& connection) {
  ++work_.turns_used_up;
  connection.waits_for_turn = true;
  if (waiting_.empty()) {
    reactor_.defer(Callback<>::to<&HttpProtocol::run_waiting>(*this));
  }
  waiting_.push_back(&connection);
}

void HttpProtocol::run_waiting() {
  running_.swap(waiting_);
  for (HttpConnection* connection : running_) {
    connection->waits_for_turn = false;
    if (!connection->closed) {
      advance(*connection, connection->input.contents());
    }
  }
  running_.clear();
}

bool HttpProtocol::is_idle(const HttpConnection& connection) {
  return connection.input.empty() && connection.held_head.empty() && connection.body.left == 0 &&
         !connection.out.waiting() && !connection.waits_for_turn;
}

HttpProtocol::Step HttpProtocol::read_head(HttpConnection& connection, std::string_view& input) {
  switch (connection.parser.parse(input)) {
    case http::ParseState::Incomplete:
      return Step::NeedsInput;
    case http::ParseState::Error:
      return refuse(connection, connection.parser.error());
    case http::ParseState::Complete:
      break;
  }
  if (connection.deadline_ns != 0) {
    connection.server->set_deadline(connection, 0);
  }
  const http::Request& request = connection.parser.request();
  const std::string_view head = input.substr(0, connection.parser.head_bytes());
  input.remove_prefix(head.size());
  // Who waits for a "100 Continue" gets the answer instead, and no more requests.
  if (request.has_body() && !request.expect_continue) {
    connection.held_head = head;
    connection.skipper = http::BodySkipper(request, options_.limits);
    return Step::Done;
  }
  answer(connection, request);
  connection.parser.reset();
  return Step::Done;
}

HttpProtocol::Step HttpProtocol::skip_body(HttpConnection& connection, std::string_view& input) {
  const http::Skipped skipped = connection.skipper.skip(input);
  input.remove_prefix(skipped.consumed);
  switch (skipped.state) {
    case http::SkipState::More:
      return Step::NeedsInput;
    case http::SkipState::Error:
      return refuse(connection, connection.skipper.error());
    case http::SkipState::Done:
      break;
  }
  ++counters_.bodies_skipped;
  connection.parser.parse(connection.held_head);  // moves its views there
  answer(connection, connection.parser.request());
  connection.held_head = {};
  connection.parser.reset();
  return Step::Done;
}

HttpProtocol::Step HttpProtocol::refuse(HttpConnection& connection, http::Status status) {
  // What is refused has had its answer: the head that did not end must not get another one.
  connection.server->set_deadline(connection, 0);
  begin_answer(connection, http::final_response(status));
  return Step::Done;
}

}  // namespace epoll_reference
