#include "checkpoints/load_client/options.hpp"

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "checkpoints/load_client/http_answers.hpp"
#include "common/support/options.hpp"

namespace load_client {
namespace {

using support::Option;

// What is a text on the command line and more than that in Options.
struct Texts {
  std::string protocol;
  std::vector<std::string> targets;
  std::string sizes;
  std::string paths = "/";
};

std::vector<Option> rows(Options& options, Texts& texts) {
  using std::chrono_literals::operator""ms;
  using std::chrono_literals::operator""us;
  using std::chrono_literals::operator""h;
  constexpr std::int64_t kMany = 1'000'000'000'000;
  return {
      Option::positional("PROTOCOL", &texts.protocol, "what the servers speak: echo or http"),
      Option::positional_list("TARGET", &texts.targets, "servers: [NAME=]ADDRESS:PORT[@PID]"),
      Option::integer("connections", &options.connections, 1, 1'000'000, "open to each target"),
      Option::duration("duration", &options.duration, 1ms, 24h, "measure for so long (one target)"),
      Option::integer("requests", &options.requests, 0, kMany,
                      "stop after so many messages; 0: no limit"),
      Option::duration("warmup", &options.warmup, 0ms, 1h, "load before it is measured"),
      Option::size("size", &options.size, 1, SizeMix::kLargest, "bytes of an echo message"),
      Option::text("size-mix", "SIZE:WEIGHT,...", &texts.sizes, "several sizes instead of one"),
      Option::integer("pipeline", &options.pipeline, 1, 4096,
                      "messages in flight on each connection"),
      Option::integer("rate", &options.rate, 0, 1'000'000'000,
                      "open loop: messages a second, over all connections; 0: closed loop"),
      Option::integer("requests-per-connection", &options.requests_per_connection, 0, kMany,
                      "connect anew after so many; 0: never"),
      Option::flag("stream", &options.stream, "echo: write all the time, count bytes"),
      Option::integer("slow-readers", &options.slow_readers_percent, 0, 100,
                      "percent of the connections that send all they can and read slowly"),
      Option::size("slow-rate", &options.slow_rate, 1, 1 << 30,
                   "bytes a second that a slow reader reads"),
      Option::size("receive-buffer", &options.receive_buffer, 0, 1 << 30,
                   "of each socket, so that all have the same window; 0: the kernel adapts it"),
      Option::text("paths", "/A,/B", &texts.paths, "http: asked for in turn"),
      Option::text("root", "FOLDER", &options.root,
                   "http: compare each body with the file below this folder"),
      Option::flag("head", &options.head_only, "http: HEAD instead of GET"),
      Option::duration("timeout", &options.timeout, 1ms, 1h,
                       "an answer that takes longer is an error"),
      Option::duration("slice", &options.slice, 100us, 1h,
                       "several targets: how long each has the traffic"),
      Option::integer("pairs", &options.pairs, 1, 1'000'000,
                      "several targets: pairs of slices for each comparison"),
      Option::integer(
          "windows", &options.windows, 0, 1000,
          "one target: so many equal parts of its time get their own numbers in --json"),
      Option::integer("seed", &options.seed, 0, kMany, "for sizes and contents"),
      Option::text("json", "FILE", &options.json, "write the results there; -: to stdout"),
  };
}

std::expected<void, std::string> read_targets(const Texts& texts, Options& options) {
  if (texts.targets.empty()) {
    return std::unexpected("a TARGET is missing: [NAME=]ADDRESS:PORT[@PID]");
  }
  for (const std::string& text : texts.targets) {
    auto target = Target::parse(text);
    if (!target) {
      return std::unexpected(target.error());
    }
    if (std::ranges::find(options.targets, target->name, &Target::name) != options.targets.end()) {
      return std::unexpected("two targets are called '" + target->name + "'");
    }
    options.targets.push_back(std::move(*target));
  }
  return {};
}

std::expected<void, std::string> read_sizes(const Texts& texts, Options& options) {
  if (options.stream) {
    options.size = kStreamPiece;
  }
  options.sizes = SizeMix(options.size);
  if (!texts.sizes.empty()) {
    auto sizes = SizeMix::parse(texts.sizes);
    if (!sizes) {
      return std::unexpected("--size-mix " + sizes.error());
    }
    options.sizes = std::move(*sizes);
    options.size = options.sizes.largest();
  }
  return {};
}

std::expected<void, std::string> read_paths(const Texts& texts, Options& options) {
  options.paths = split_paths(texts.paths);
  for (const std::string& path : options.paths) {
    const bool is_plain = std::ranges::all_of(path, [](char c) { return c > ' ' && c < 0x7f; });
    if (!path.starts_with('/') || !is_plain) {
      return std::unexpected(
          "--paths needs paths that begin with / and have no blanks and no "
          "letters beyond ASCII, with commas in between");
    }
  }
  return {};
}

std::expected<void, std::string> check(const Texts& texts, Options& options) {
  if (texts.protocol != "echo" && texts.protocol != "http") {
    return std::unexpected("the protocol is echo or http, not '" + texts.protocol + "'");
  }
  options.protocol = texts.protocol == "echo" ? Protocol::Echo : Protocol::Http;
  if (options.protocol == Protocol::Http &&
      (options.stream || options.size != Options().size || !texts.sizes.empty())) {
    return std::unexpected("--stream, --size and --size-mix are for echo");
  }
  if (options.protocol == Protocol::Echo &&
      (texts.paths != Texts().paths || !options.root.empty() || options.head_only)) {
    return std::unexpected("--paths, --root and --head are for http");
  }
  if (options.stream && (options.rate > 0 || !texts.sizes.empty())) {
    return std::unexpected("--stream has no messages: --rate and --size-mix do not go with it");
  }
  if (const auto read = read_targets(texts, options); !read) {
    return read;
  }
  if (options.windows > 0 && options.targets.size() > 1) {
    return std::unexpected("--windows is for one target: several are measured in slices");
  }
  if (const auto read = read_sizes(texts, options); !read) {
    return read;
  }
  return read_paths(texts, options);
}

}  // namespace

std::expected<Options, int> parse_options(int argc, const char* const* argv) {
  Options options;
  Texts texts;
  const support::Options command_line(
      "load_client",
      "Puts load on servers, verifies every byte of what they answer, measures and compares them.",
      rows(options, texts));
  if (const auto exit_status = command_line.parse_main(argc, argv)) {
    return std::unexpected(*exit_status);
  }
  if (const auto checked = check(texts, options); !checked) {
    std::fprintf(stderr, "load_client: %s\n", checked.error().c_str());
    return std::unexpected(2);
  }
  return options;
}

}  // namespace load_client
