#include "checkpoints/load_client/engine.hpp"

#include <algorithm>
#include <bit>

#include "checkpoints/load_client/policy.hpp"
#include "common/base/check.hpp"

namespace load_client {
namespace {

// How long answers are waited for after a SIGINT.
constexpr std::uint64_t kPatience_ns = 1'000'000'000;
constexpr std::uint64_t kProgress_ns = 200'000'000;
constexpr std::uint64_t kSlowTick_ns = 100'000'000;
// --stream: pieces on their way, more than the sockets of both sides hold.
constexpr std::uint32_t kStreamDepth = 256;

std::uint64_t ns_of(std::chrono::nanoseconds duration) {
  return static_cast<std::uint64_t>(duration.count());
}

// Often enough that a timeout is noticed soon after its time, seldom enough that nobody feels it.
std::uint64_t scan_interval_ns(std::uint64_t timeout_ns) {
  return std::clamp<std::uint64_t>(timeout_ns / 8, 1'000'000, 500'000'000);
}

}  // namespace

Engine::Engine(loop::EventLoop& loop, uring::ProvidedBuffers& buffers, bool has_multishot_recv,
               const Options& options, std::vector<Answer> answers)
    : loop_(loop),
      buffers_(buffers),
      has_multishot_recv_(has_multishot_recv),
      options_(options),
      pattern_(make_pattern(options.seed)),
      answers_(std::move(answers)),
      timeout_ns_(ns_of(options.timeout)),
      depth_(options.stream ? kStreamDepth : options.pipeline),
      random_(options.seed),
      connections_(connections_in_all(options)),
      targets_(options.targets.size()) {
  const std::size_t room = std::bit_ceil(depth_);
  message_memory_ = std::make_unique_for_overwrite<Message[]>(room * connections_.size());
  phases_ = make_schedule({.targets = static_cast<std::uint32_t>(options.targets.size()),
                           .warmup_ns = ns_of(options.warmup),
                           .duration_ns = ns_of(options.duration),
                           .slice_ns = ns_of(options.slice),
                           .pairs = options.pairs});
  for (const Target& target : options.targets) {
    results_.targets.emplace_back().target = target;
    if (is_http()) {
      requests_.push_back(
          make_requests(options.paths, target.address.to_string(), options.head_only));
    }
  }
  results_.comparisons.resize(options.targets.size() - 1);
  starved_.reserve(connections_.size());
  for (std::uint32_t slot = 0; slot < connections_.size(); ++slot) {
    connections_[slot].messages = MessageQueue({&message_memory_[slot * room], room});
  }
}

void Engine::start() {
  now_ns_ = support::now_ns();
  const std::uint32_t slow = (options_.connections * options_.slow_readers_percent + 99) / 100;
  constexpr std::uint64_t kMostRead = 64 << 10;
  const std::uint64_t slow_read = std::min(options_.slow_rate, kMostRead);
  for (std::uint32_t slot = 0; slot < connections_.size(); ++slot) {
    CHECK(loop_.slots().acquire() == slot, "a new pool hands out its slots in order");
    Connection& connection = connections_[slot];
    // In turn, so that all targets get theirs at the same pace.
    connection.target = slot % static_cast<std::uint32_t>(targets_.size());
    connection.number = slot / static_cast<std::uint32_t>(targets_.size());
    connection.source = is_http() ? &requests_[connection.target].bytes : &pattern_;
    connection.is_slow = connection.number < slow;
    if (connection.is_slow) {
      connection.slow_buffer.resize(slow_read);
    }
    ++targets_[connection.target].connections[static_cast<std::size_t>(State::Queued)];
    to_open_.push_back(slot);
  }
  add_timer(kScan, now_ns_ + scan_interval_ns(timeout_ns_));
  if (slow > 0) {
    slow_read_ns_ = now_ns_;
    add_timer(kSlowReaders, now_ns_ + kSlowTick_ns);
  }
  if (progress_.is_shown()) {
    add_timer(kProgress, now_ns_ + kProgress_ns);
  }
}

void Engine::on_completion(loop::OpId id, const uring::io_uring_cqe& cqe) {
  // The clock is read at the begin of a turn and then from time to time: what has come together is
  // taken to have come at one time.
  constexpr std::uint32_t kPerClockReading = 32;
  if (handled_since_now_++ % kPerClockReading == 0) {
    now_ns_ = support::now_ns();
  }
  switch (id.kind) {
    case kSend:
      on_sent(id.slot, cqe.res);
      break;
    case kRecv:
      on_received(id.slot, cqe);
      break;
    case kConnect:
      on_connected(id.slot, cqe.res);
      break;
    default:  // a cancel: its target has a completion of its own, which decides
      break;
  }
}

void Engine::on_stale(loop::OpId, const uring::io_uring_cqe& cqe) {
  if ((cqe.flags & uring::IORING_CQE_F_BUFFER) != 0) {
    (void)buffers_.take(cqe);
    buffers_.give_back(uring::ProvidedBuffers::buffer_id(cqe));
  }
}

void Engine::on_timer(std::uint64_t payload, std::uint64_t) {
  now_ns_ = support::now_ns();
  switch (static_cast<Timer>(payload)) {
    case kPhaseEnd:
      current_.end_timer.reset();
      if (options_.rate > 0) {
        issue_due();  // what became due since the last turn
      }
      end_sending();
      break;
    case kDue:
      due_timer_.reset();  // before_wait() sends what is due
      break;
    case kScan:
      scan_for_timeouts();
      add_timer(kScan, now_ns_ + scan_interval_ns(timeout_ns_));
      break;
    case kSlowReaders:
      read_slowly();
      add_timer(kSlowReaders, now_ns_ + kSlowTick_ns);
      break;
    case kRest:
      rest_timer_is_set_ = false;
      wake_rested();
      break;
    case kProgress:
      show_progress();
      add_timer(kProgress, now_ns_ + kProgress_ns);
      break;
    case kGiveUp:
      stop();
      break;
  }
}

// The first one ends the run early, with the results so far; the second does not wait for answers.
void Engine::on_signal(int) {
  if (results_.was_interrupted) {
    stop();
    return;
  }
  results_.was_interrupted = true;
  is_cut_short_ = true;
  end_sending();
  add_timer(kGiveUp, support::now_ns() + kPatience_ns);
}

void Engine::before_wait() {
  handled_since_now_ = 0;
  // Fails only without buffer rings, when the SQ is full: the rest goes with the next turn.
  (void)buffers_.publish();
  for (const std::uint32_t slot : starved_) {
    if (connections_[slot].state == State::Open && !connections_[slot].recv_is_armed) {
      make_room();
      arm_recv(slot);
    }
  }
  starved_.clear();
  if (is_stopping_) {
    return;
  }
  open_queued();
  advance();
  if (options_.rate > 0) {
    issue_due();
  }
}

// Outside of a handler, and in one that arms for many connections. A ring that takes no requests
// any more is beyond help.
void Engine::make_room() {
  CHECK(loop_.make_room(kMaxSqesPerHandler).has_value(), "the ring takes requests");
}

void Engine::add_timer(Timer timer, std::uint64_t deadline_ns) {
  CHECK(loop_.timers().add(deadline_ns, timer).has_value(), "there is room for one of each kind");
}

void Engine::show_progress() {
  if (!is_in_phase_) {
    std::uint32_t open = 0;
    for (const TargetState& target : targets_) {
      open += target.in(State::Open);
    }
    progress_.show("connecting: " + std::to_string(open) + " of " +
                   std::to_string(connections_.size()));
    return;
  }
  const TargetResult& result = results_.targets[current_.phase.target];
  progress_.show(result.target.name + ": " + std::to_string(result.messages + current_.messages) +
                 " messages, phase " + std::to_string(next_phase_) + " of " +
                 std::to_string(phases_.size()) + ", errors " + std::to_string(results_.errors()));
}

}  // namespace load_client
