#pragma once
// What a run has found out, as plain numbers: filled by the engine, printed by report.cpp.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "checkpoints/load_client/server_usage.hpp"
#include "checkpoints/load_client/target.hpp"
#include "common/support/histogram.hpp"
#include "common/support/statistics.hpp"

namespace load_client {

enum class ErrorKind : std::uint8_t {
  Refused,
  ConnectFailed,
  Reset,
  ClosedEarly,
  Timeout,
  WrongBytes,
  BadResponse,
  Other,
  kCount
};
inline constexpr std::size_t kErrorKinds = static_cast<std::size_t>(ErrorKind::kCount);

// "wrong_bytes"
[[nodiscard]] const char* name(ErrorKind kind);

struct Errors {
  std::array<std::uint64_t, kErrorKinds> counts{};
  std::array<std::string, kErrorKinds> first;  // what the first one of each kind was

  [[nodiscard]] std::uint64_t total() const;
};

// A part of the measured time: what was answered in it.
struct Window {
  std::uint64_t messages = 0;
  support::Histogram latency_ns;
};

// All measured phases of one target together.
struct TargetResult {
  Target target;
  std::uint64_t messages = 0;
  std::uint64_t connections_opened = 0;  // in the whole run, the warm-up included
  std::uint64_t measured_ns = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t overdue = 0;  // open loop: were due, and could not be sent before the end
  Errors errors;
  support::Histogram latency_ns;
  support::Histogram connect_ns;
  std::vector<Window> windows;
  std::optional<ServerUsage> server;  // without a PID, or if it has ended: nothing
  std::optional<ServerMemory> memory;

  [[nodiscard]] double seconds() const;
  [[nodiscard]] double messages_per_second() const;
};

// One slice, as far as comparisons need it.
struct Slice {
  double messages_per_second = 0;
  double messages_per_cpu_second = 0;
  double cpu_ns_per_message = 0;
  double p50_ns = 0;
  double p99_ns = 0;
};

// Element i of both was measured one after the other.
struct Pairs {
  std::vector<Slice> ours;
  std::vector<Slice> reference;

  [[nodiscard]] std::size_t count() const;
  [[nodiscard]] support::Comparison compare(double Slice::*value, support::Better better) const;
};

struct Results {
  std::vector<TargetResult> targets;
  std::vector<Pairs> comparisons;  // [i]: the first target with target i + 1
  std::uint64_t client_cpu_ns = 0;
  std::uint64_t measured_ns = 0;
  bool was_interrupted = false;

  [[nodiscard]] std::uint64_t errors() const;
  [[nodiscard]] std::uint64_t messages() const;
};

}  // namespace load_client
