#include "m2_file_server/bench/serve_options.hpp"

#include <cstdio>

#include "common/support/options.hpp"

namespace file_server::serve_bench {
namespace {

constexpr const char* kProgram = "m2_file_server bench serve";
constexpr std::uint64_t kMostClients = 1000;
constexpr std::uint64_t kLargestFile = 64 << 20;  // the client has all of it in memory, too

int complain(const char* option, const std::string& text, const char* needs) {
  std::fprintf(stderr, "%s: option '--%s' needs %s, not '%s'\n", kProgram, option, needs,
               text.c_str());
  return 2;
}

}  // namespace

std::optional<int> parse_options(int argc, char** argv, Options& options) {
  using std::chrono_literals::operator""ms;
  using std::chrono_literals::operator""s;
  using support::Option;
  std::string clients = "1,10,100";
  std::string sizes = "1K,64K,1M";
  const support::Options table(
      kProgram, "Compares this server with two that use blocking calls, all three over loopback.",
      {Option::text("clients", "LIST", &clients, "how many at once, one after the other"),
       Option::text("sizes", "LIST", &sizes, "of the files, one after the other"),
       Option::duration("slice", &options.slice, 1ms, 60s,
                        "how long a server is loaded before it is the other one's turn"),
       Option::integer("pairs", &options.pairs, 1, 100'000, "how often each has its turn"),
       Option::integer("threads", &options.threads, 1, 1000, "of the pool"),
       Option::text("json", "FILE", &options.json,
                    "write the results there, too; -: to stdout, and nothing else")});
  if (const auto exit_status = table.parse_main(argc, argv)) {
    return exit_status;
  }
  const auto client_counts = parse_list(clients, support::kNoUnit, 1, kMostClients);
  if (!client_counts) {
    return complain("clients", clients, "whole numbers from 1 to 1000 with commas between them");
  }
  const auto file_sizes = parse_list(sizes, support::kSizeUnits, 0, kLargestFile);
  if (!file_sizes) {
    return complain("sizes", sizes, "sizes up to 64M with commas between them");
  }
  options.clients = *client_counts;
  options.sizes = *file_sizes;
  return std::nullopt;
}

std::optional<std::vector<std::uint64_t>> parse_list(std::string_view text,
                                                     std::span<const support::Unit> units,
                                                     std::uint64_t min, std::uint64_t max) {
  std::vector<std::uint64_t> numbers;
  while (true) {
    const std::string_view part = text.substr(0, text.find(','));
    const auto number = support::parse_quantity(part, units);
    if (!number || *number < 0 || static_cast<std::uint64_t>(*number) < min ||
        static_cast<std::uint64_t>(*number) > max) {
      return std::nullopt;
    }
    numbers.push_back(static_cast<std::uint64_t>(*number));
    if (part.size() == text.size()) {
      return numbers;
    }
    text.remove_prefix(part.size() + 1);
  }
}

}  // namespace file_server::serve_bench
