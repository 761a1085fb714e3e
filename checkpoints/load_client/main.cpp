// load_client: puts load on servers, verifies every byte of what comes back, measures and compares.
// One thread on one ring. See --help, and engine.hpp for how it works.
//
// What must hold: exit status 0 means that every message was answered rightly, 1 that something was
// wrong (a sentence on stderr says what), 2 that the run could not start.

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <csignal>
#include <cstdio>
#include <span>
#include <string>

#include "checkpoints/load_client/engine.hpp"
#include "checkpoints/load_client/expected_files.hpp"
#include "checkpoints/load_client/report.hpp"
#include "common/base/unique_fd.hpp"
#include "common/support/signal_source.hpp"
#include "common/support/write_all.hpp"
#include "common/uring/features.hpp"
#include "common/uring/ring.hpp"

namespace {

using namespace load_client;

constexpr int kCannotStart = 2;

int complain(int status, const std::string& sentence) {
  std::fprintf(stderr, "load_client: %s\n", sentence.c_str());
  return status;
}

int cannot(const char* what, base::Errno error) {
  return complain(kCannotStart, std::string(what) + ": " + error.name() + ", " + error.message());
}

// Takes all the descriptors that may be had. An empty text, or why they are not enough.
std::string raise_file_limit(std::uint64_t connections) {
  constexpr std::uint64_t kOthers = 32;  // standard streams, the ring, the signals, /proc
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return "";  // then a socket will tell
  }
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max >= connections + kOthers) {
    return "";
  }
  return std::to_string(connections) + " connections need as many descriptors, but " +
         std::to_string(limit.rlim_max) + " is the most that may be open (ulimit -Hn)";
}

uring::RingOptions ring_options(std::uint32_t connections) {
  // A turn may bring a completion or two of each connection.
  const std::uint32_t sq_entries = std::clamp(std::bit_ceil(connections), 128U, 4096U);
  const std::uint32_t cq_entries = std::clamp(2 * std::bit_ceil(connections), 512U, 65'536U);
  return {.sq_entries = sq_entries,
          .cq_entries = cq_entries,
          .setup_flags = uring::IORING_SETUP_SINGLE_ISSUER | uring::IORING_SETUP_DEFER_TASKRUN |
                         uring::IORING_SETUP_COOP_TASKRUN | uring::IORING_SETUP_SUBMIT_ALL};
}

// Small ones for small messages: each buffer that comes round is memory that goes through the
// cache.
uring::ProvidedBuffersOptions buffer_options(const Options& options, std::uint32_t connections) {
  constexpr std::uint64_t kSmallest = 4 << 10;
  constexpr std::uint64_t kLargest = 64 << 10;
  constexpr std::uint64_t kMemory = 16 << 20;
  constexpr std::uint64_t kForHttp = 16 << 10;
  // Else all of them would begin in the same few sets of the cache.
  constexpr std::uint64_t kCacheLine = 64;
  const std::uint64_t expected = options.protocol == Protocol::Http
                                     ? kForHttp
                                     : std::min(kLargest, options.size * options.pipeline);
  const std::uint64_t size = std::clamp(std::bit_ceil(expected), kSmallest, kLargest);
  const auto most = static_cast<std::uint32_t>(kMemory / size);
  return {.count = std::clamp(2 * std::bit_ceil(connections), 64U, most),
          .buffer_size = static_cast<std::uint32_t>(size + kCacheLine)};
}

// Where the JSON goes: opened before the run, which is long, so that a wrong name shows at once.
base::Result<base::UniqueFd> open_json(const Options& options) {
  if (options.json.empty() || options.json == "-") {
    return base::UniqueFd();
  }
  constexpr mode_t kMode = 0666;
  base::UniqueFd file(
      ::open(options.json.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kMode));
  return file.valid() ? base::Result<base::UniqueFd>(std::move(file))
                      : base::fail(base::last_error());
}

bool print(int fd, const std::string& text) {
  const auto written = support::write_all(fd, std::as_bytes(std::span(text)));
  if (!written) {
    complain(1, std::string("the results cannot be written: ") + written.error().message());
  }
  return written.has_value();
}

int report(const Options& options, const Results& results, const base::UniqueFd& json_file) {
  bool is_written = true;
  if (json_file.valid()) {
    is_written = print(json_file.get(), results_as_json(options, results));
  }
  is_written &= print(STDOUT_FILENO, options.json == "-" ? results_as_json(options, results)
                                                         : results_as_text(options, results));
  std::fputs(errors_as_text(results).c_str(), stderr);
  return results.errors() == 0 && is_written ? 0 : 1;
}

// `answers` is empty for echo.
int run_load(const Options& options, const uring::Features& features,
             const support::SignalSource& signals, std::vector<Answer> answers,
             const base::UniqueFd& json_file) {
  const std::uint32_t connections = connections_in_all(options);
  auto ring = uring::Ring::create(ring_options(connections), features);
  if (!ring) {
    return cannot("no ring", ring.error());
  }
  if (const auto registered = ring->register_ring_fd(); !registered) {
    return cannot("the ring cannot be registered", registered.error());
  }
  auto buffers =
      uring::ProvidedBuffers::create(*ring, features, buffer_options(options, connections));
  if (!buffers) {
    return cannot("no buffers for the ring", buffers.error());
  }
  loop::EventLoop events(*ring, {.slots = connections, .timers = 16}, &signals);
  Engine engine(events, *buffers, features.has(uring::Feature::MultishotRecv), options,
                std::move(answers));
  engine.start();
  if (const auto ran = events.run(engine); !ran) {
    return complain(1, std::string("the ring failed: ") + ran.error().message());
  }
  if (!engine.impossible().empty()) {
    return complain(kCannotStart, engine.impossible());
  }
  return report(options, engine.results(), json_file);
}

// Of the targets' processes, the first that is not there.
std::string missing_process(const Options& options) {
  for (const Target& target : options.targets) {
    if (target.pid && !read_server_usage(*target.pid)) {
      return "there is no process " + std::to_string(*target.pid) + " that could be watched for " +
             target.name;
    }
  }
  return "";
}

int run(const Options& options) {
  std::string problem = raise_file_limit(connections_in_all(options));
  if (problem.empty()) {
    problem = missing_process(options);
  }
  if (!problem.empty()) {
    return complain(kCannotStart, problem);
  }
  std::vector<Answer> answers;
  if (options.protocol == Protocol::Http) {
    for (const std::string& path : options.paths) {
      answers.emplace_back().path = path;
    }
    if (!options.root.empty()) {
      if (const auto read = read_expected_files(options.root, answers); !read) {
        return complain(kCannotStart, read.error());
      }
    }
  }
  const auto features = uring::detect_features_or_explain();
  if (!features) {
    return complain(kCannotStart, features.error());
  }
  const auto signals = support::SignalSource::create({SIGINT, SIGTERM});
  if (!signals) {
    return cannot("no signalfd", signals.error());
  }
  const auto json_file = open_json(options);
  if (!json_file) {
    return complain(kCannotStart,
                    "cannot write '" + options.json + "': " + json_file.error().message());
  }
  return run_load(options, *features, *signals, std::move(answers), *json_file);
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = parse_options(argc, argv);
  return options ? run(*options) : options.error();
}
