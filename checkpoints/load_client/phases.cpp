// The phases of a run: connect, then for each phase send, wait for what is in flight, put the
// numbers away.

#include <algorithm>
#include <utility>

#include "checkpoints/load_client/engine.hpp"
#include "common/support/cpu_clock.hpp"

namespace load_client {

void Engine::advance() {
  if (is_stopping_) {
    return;
  }
  now_ns_ = support::now_ns();
  if (is_in_phase_) {
    if (!can_go_on()) {
      is_cut_short_ = true;
      end_sending();
    }
    if (!phase_is_over()) {
      return;
    }
    finish_phase();
  } else if (!is_cut_short_ && !std::ranges::all_of(targets_, &TargetState::is_settled)) {
    return;
  }
  if (is_cut_short_ || next_phase_ == phases_.size() || !can_go_on()) {
    stop();
    return;
  }
  begin_phase();
}

// Without a target there is nothing to measure, or nothing to compare with.
bool Engine::can_go_on() const {
  return std::ranges::none_of(
      targets_, [&](const TargetState& target) { return target.is_lost(options_.connections); });
}

void Engine::begin_phase() {
  current_ = Current{};
  current_.phase = phases_[next_phase_++];
  const Phase& phase = current_.phase;
  if (phase.kind == PhaseKind::Measure && options_.requests > 0) {
    current_.limit = options_.requests - issued_measured_;
  }
  if (phase.kind == PhaseKind::Measure) {
    current_.windows.resize(options_.windows);
  }
  current_.server = server_usage(results_.targets[phase.target]);
  current_.client_cpu_ns = support::thread_cpu_ns();
  now_ns_ = support::now_ns();
  current_.begin_ns = now_ns_;
  current_.end_ns = now_ns_ + phase.duration_ns;
  current_.end_timer = loop_.timers().add(current_.end_ns, kPhaseEnd);
  is_in_phase_ = true;
  is_sending_ = true;
  for (std::uint32_t slot = 0; slot < connections_.size() && is_sending_; ++slot) {
    if (is_active(connections_[slot]) && !connections_[slot].is_slow) {
      make_room();
      fill(slot);
      pump_send(slot);
    }
  }
}

void Engine::end_sending() {
  if (!is_sending_) {
    return;
  }
  is_sending_ = false;
  for (auto* timer : {&current_.end_timer, &due_timer_}) {
    if (*timer) {
      loop_.timers().cancel(**timer);
      timer->reset();
    }
  }
  for (const std::uint32_t slot : ready_) {
    connections_[slot].is_ready = false;
  }
  ready_.clear();
}

bool Engine::phase_is_over() const {
  const TargetState& target = targets_[current_.phase.target];
  return !is_sending_ && target.in_flight == 0 && target.is_settled();
}

void Engine::finish_phase() {
  is_in_phase_ = false;
  TargetResult& result = results_.targets[current_.phase.target];
  const std::uint64_t elapsed_ns = std::max<std::uint64_t>(now_ns_ - current_.begin_ns, 1);
  std::optional<ServerUsage> server = server_usage(result);
  if (server && current_.server) {
    server = server->since(*current_.server);
  } else {
    server.reset();
  }
  if (current_.phase.kind != PhaseKind::Measure) {
    return;
  }
  results_.client_cpu_ns += support::thread_cpu_ns() - current_.client_cpu_ns;
  results_.measured_ns += elapsed_ns;
  issued_measured_ += current_.issued;
  if (options_.requests > 0 && issued_measured_ >= options_.requests) {
    next_phase_ = phases_.size();
  }
  put_away(result, elapsed_ns, server);
}

void Engine::put_away(TargetResult& result, std::uint64_t elapsed_ns,
                      const std::optional<ServerUsage>& server) {
  result.messages += current_.messages;
  result.measured_ns += elapsed_ns;
  result.bytes_sent += current_.bytes_sent;
  result.bytes_received += current_.bytes_received;
  result.latency_ns.merge(current_.latency_ns);
  result.windows = std::move(current_.windows);
  if (server) {
    result.server = result.server.value_or(ServerUsage{});
    *result.server += *server;
  }
  if (options_.rate > 0) {
    const std::uint64_t until = std::min(current_.end_ns, current_.begin_ns + elapsed_ns);
    for (std::uint64_t number = current_.issued; due_ns(number) < until; ++number) {
      ++result.overdue;
    }
  }
  if (targets_.size() == 1) {
    return;
  }
  const auto messages = static_cast<double>(current_.messages);
  const auto cpu_ns = static_cast<double>(server ? server->cpu_ns : 0);
  constexpr double kNsPerSecond = 1e9;
  const Slice slice{
      .messages_per_second = messages * kNsPerSecond / static_cast<double>(elapsed_ns),
      .messages_per_cpu_second = cpu_ns > 0 ? messages * kNsPerSecond / cpu_ns : 0,
      .cpu_ns_per_message = messages > 0 ? cpu_ns / messages : 0,
      .p50_ns = static_cast<double>(current_.latency_ns.percentile(50)),
      .p99_ns = static_cast<double>(current_.latency_ns.percentile(99))};
  Pairs& pairs = results_.comparisons[current_.phase.reference - 1];
  (current_.phase.target == 0 ? pairs.ours : pairs.reference).push_back(slice);
}

std::optional<ServerUsage> Engine::server_usage(const TargetResult& result) const {
  if (!result.target.pid) {
    return std::nullopt;
  }
  const auto usage = read_server_usage(*result.target.pid);
  return usage ? std::optional(*usage) : std::nullopt;
}

// Closes what is open; the loop goes on until it has ended.
void Engine::stop() {
  if (is_stopping_) {
    return;
  }
  if (is_in_phase_) {
    finish_phase();
  }
  is_sending_ = false;
  is_stopping_ = true;
  for (TargetResult& result : results_.targets) {
    if (result.target.pid) {
      const auto memory = read_server_memory(*result.target.pid);
      result.memory = memory ? std::optional(*memory) : std::nullopt;
    }
  }
  to_open_.clear();
  for (std::uint32_t slot = 0; slot < connections_.size(); ++slot) {
    const State state = connections_[slot].state;
    if (state == State::Open || state == State::Connecting) {
      make_room();
      close(slot, State::Dead);
    }
  }
  progress_.erase();
}

}  // namespace load_client
