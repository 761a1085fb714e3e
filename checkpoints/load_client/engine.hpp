#pragma once
// The load client on the loop: connections, messages, phases.
//
//   phases.cpp       which phase it is: begins one, notices its end, puts its numbers away
//   connections.cpp  opens connections, closes them, counts what goes wrong
//   exchange.cpp     messages: sends them, checks what comes back
//   engine.cpp       completions, timers, signals: which of the above is due
//
// One connection is one slot of the loop, for the whole run: when its socket is closed and its last
// operation has ended, the slot is recycled, and taken again for the next life of the connection.
//
// What must hold:
// - A phase begins and ends with nothing in flight to its target (except what slow readers send),
//   so its time, its server CPU and its messages belong together.
// - Nothing is waited for without a limit: a message and a connect end by --timeout at the latest,
//   and a connection that has failed kMostFailures times is given up.

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "checkpoints/load_client/byte_source.hpp"
#include "checkpoints/load_client/connection.hpp"
#include "checkpoints/load_client/http_answers.hpp"
#include "checkpoints/load_client/options.hpp"
#include "checkpoints/load_client/progress_line.hpp"
#include "checkpoints/load_client/results.hpp"
#include "checkpoints/load_client/schedule.hpp"
#include "common/loop/event_loop.hpp"
#include "common/uring/provided_buffers.hpp"

namespace load_client {

// How many connections the options ask for, over all targets.
[[nodiscard]] constexpr std::uint32_t connections_in_all(const Options& options) {
  return options.connections * static_cast<std::uint32_t>(options.targets.size());
}

class Engine {
 public:
  static constexpr std::uint32_t kMaxSqesPerHandler = 4;

  // `loop`, `buffers` and `options` must outlive it. `answers` are for the options' paths, as far
  // as they are known; none for echo.
  Engine(loop::EventLoop& loop, uring::ProvidedBuffers& buffers, bool has_multishot_recv,
         const Options& options, std::vector<Answer> answers);

  void start();

  // After the run.
  [[nodiscard]] Results& results() { return results_; }
  // Why the run could not start, though the ring could: out of descriptors. Empty if it did.
  [[nodiscard]] const std::string& impossible() const { return impossible_; }

  // What the loop asks for.
  void on_completion(loop::OpId id, const uring::io_uring_cqe& cqe);
  void on_stale(loop::OpId id, const uring::io_uring_cqe& cqe);
  void on_slot_free(std::uint32_t slot);
  void on_timer(std::uint64_t payload, std::uint64_t deadline_ns);
  void on_signal(int signal);
  void before_wait();
  [[nodiscard]] bool finished() const { return is_stopping_ && loop_.in_flight() == 0; }

 private:
  // What the accept queue of a server with a modest backlog holds. Beyond it SYNs are dropped, and
  // come again after a second.
  static constexpr std::uint32_t kFewConnecting = 256;

  enum Timer : std::uint64_t { kPhaseEnd, kDue, kScan, kSlowReaders, kRest, kProgress, kGiveUp };

  struct TargetState {
    std::array<std::uint32_t, kStates> connections{};  // by state
    std::uint64_t in_flight = 0;                       // messages

    [[nodiscard]] std::uint32_t in(State state) const {
      return connections[static_cast<std::size_t>(state)];
    }
    [[nodiscard]] bool is_settled() const {
      return in(State::Queued) + in(State::Connecting) + in(State::Closing) == 0;
    }
    [[nodiscard]] bool is_lost(std::uint32_t all) const { return in(State::Dead) == all; }
  };

  // The phase under way.
  struct Current {
    Phase phase{};
    std::uint64_t begin_ns = 0;
    std::uint64_t end_ns = 0;  // when sending ends, if nothing ends it before
    std::optional<timers::TimerHandle> end_timer;
    std::uint64_t messages = 0;
    std::uint64_t issued = 0;
    std::uint64_t limit = 0;  // how many may be issued; 0: no limit
    std::uint64_t bytes_sent = 0;
    std::uint64_t bytes_received = 0;
    std::uint64_t client_cpu_ns = 0;    // at its begin
    std::optional<ServerUsage> server;  // at its begin
    support::Histogram latency_ns;
    std::vector<Window> windows;
  };

  // --- phases.cpp
  void advance();
  void begin_phase();
  void end_sending();
  [[nodiscard]] bool phase_is_over() const;
  void finish_phase();
  void put_away(TargetResult& result, std::uint64_t elapsed_ns,
                const std::optional<ServerUsage>& server);
  [[nodiscard]] std::optional<ServerUsage> server_usage(const TargetResult& result) const;
  void stop();
  [[nodiscard]] bool can_go_on() const;

  // --- connections.cpp
  void set_state(Connection& connection, State state);
  void open_queued();
  [[nodiscard]] bool open(std::uint32_t slot);
  void on_connected(std::uint32_t slot, std::int32_t res);
  void begin_life(std::uint32_t slot);
  void close(std::uint32_t slot, State afterwards);
  void cancel(std::uint32_t slot, std::uint8_t kind);
  void fail(std::uint32_t slot, ErrorKind kind, const std::string& what);
  void fail_by_errno(std::uint32_t slot, std::uint8_t kind, std::int32_t res);
  void drop_messages(Connection& connection);
  void count_error(const Connection& connection, ErrorKind kind, const std::string& what);
  void wake_rested();
  void scan_for_timeouts();

  // --- exchange.cpp
  [[nodiscard]] bool may_issue(std::uint32_t slot) const;
  void issue(std::uint32_t slot, std::uint64_t due_ns);
  void fill(std::uint32_t slot);
  void fill_slow(Connection& connection);
  void issue_due();
  void mark_ready(std::uint32_t slot);
  [[nodiscard]] std::uint64_t due_ns(std::uint64_t number) const;
  [[nodiscard]] std::uint64_t next_size(Connection& connection);
  void send_again(Connection& connection);
  void pump_send(std::uint32_t slot);
  void arm_recv(std::uint32_t slot);
  void read_slowly();
  void arm_slow_recv(std::uint32_t slot);
  void on_sent(std::uint32_t slot, std::int32_t res);
  void on_received(std::uint32_t slot, const uring::io_uring_cqe& cqe);
  void on_bytes(std::uint32_t slot, std::span<const std::byte> data);
  [[nodiscard]] bool take_echo(std::uint32_t slot, std::span<const std::byte> data);
  [[nodiscard]] bool take_http(std::uint32_t slot, std::span<const std::byte> data);
  void complete_message(Connection& connection);
  void record_latency(std::uint64_t latency_ns);
  void on_end_of_stream(std::uint32_t slot);
  [[nodiscard]] Answer& answer_of(const Connection& connection) {
    return answers_[(connection.first_path + connection.answered) % answers_.size()];
  }

  // --- engine.cpp
  void make_room();
  void add_timer(Timer timer, std::uint64_t deadline_ns);
  [[nodiscard]] bool is_active(const Connection& connection) const {
    return is_in_phase_ && connection.target == current_.phase.target;
  }
  [[nodiscard]] bool is_http() const { return !answers_.empty(); }
  void show_progress();

  loop::EventLoop& loop_;
  uring::ProvidedBuffers& buffers_;
  const bool has_multishot_recv_;
  const Options& options_;
  const ByteSource pattern_;             // echo
  std::vector<RequestStream> requests_;  // http, by target
  std::vector<Answer> answers_;          // http, by path
  const std::uint64_t timeout_ns_;
  const std::uint32_t depth_;  // messages in flight on a connection
  std::uint64_t now_ns_ = 0;   // read once per batch of completions
  std::uint32_t handled_since_now_ = 0;
  Random random_;

  std::vector<Connection> connections_;  // by slot
  std::unique_ptr<Message[]> message_memory_;
  std::vector<TargetState> targets_;
  std::deque<std::uint32_t> to_open_;
  std::deque<std::uint32_t> ready_;     // open loop: can take a message
  std::vector<std::uint32_t> starved_;  // their recv found no buffer
  std::uint32_t connecting_ = 0;
  std::uint32_t most_connecting_ = kFewConnecting;
  bool rest_timer_is_set_ = false;
  std::optional<timers::TimerHandle> due_timer_;
  std::uint64_t slow_read_ns_ = 0;  // when slow readers were last given credit

  std::vector<Phase> phases_;
  std::size_t next_phase_ = 0;
  bool is_in_phase_ = false;
  bool is_sending_ = false;
  bool is_cut_short_ = false;  // no phase after this one
  bool is_stopping_ = false;
  std::uint64_t issued_measured_ = 0;
  Current current_;
  std::string impossible_;
  ProgressLine progress_;
  Results results_;
};

}  // namespace load_client
