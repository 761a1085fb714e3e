#pragma once
// The command line, read and checked.

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "checkpoints/load_client/size_mix.hpp"
#include "checkpoints/load_client/target.hpp"

namespace load_client {

enum class Protocol : std::uint8_t { Echo, Http };

struct Options {
  Protocol protocol = Protocol::Echo;
  std::vector<Target> targets;
  std::uint32_t connections = 64;  // to each target
  std::chrono::nanoseconds duration = std::chrono::seconds(2);
  std::chrono::nanoseconds warmup = std::chrono::milliseconds(200);
  std::uint64_t requests = 0;  // 0: no limit
  std::uint64_t size = 64;
  SizeMix sizes{64};
  std::uint32_t pipeline = 1;
  std::uint64_t rate = 0;                     // messages a second; 0: closed loop
  std::uint64_t requests_per_connection = 0;  // 0: for ever
  bool stream = false;
  std::uint32_t slow_readers_percent = 0;
  std::uint64_t slow_rate = 1;       // bytes a second
  std::uint32_t receive_buffer = 0;  // bytes; 0: the kernel adapts it
  std::vector<std::string> paths;
  std::string root;  // empty: compare with the first answer
  bool head_only = false;
  std::chrono::nanoseconds timeout = std::chrono::seconds(10);
  std::chrono::nanoseconds slice = std::chrono::milliseconds(100);
  std::uint32_t pairs = 20;
  std::uint32_t windows = 0;  // parts of the duration with numbers of their own
  std::uint64_t seed = 1;
  std::string json;  // a file's name, "-" for stdout, empty: none
};

// Prints help or what is wrong. The error is the status to exit with.
[[nodiscard]] std::expected<Options, int> parse_options(int argc, const char* const* argv);

// How large the pieces are that --stream is counted in.
inline constexpr std::uint64_t kStreamPiece = 64 << 10;

}  // namespace load_client
