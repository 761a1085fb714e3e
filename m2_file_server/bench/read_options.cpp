#include "m2_file_server/bench/read_options.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <expected>
#include <string_view>

#include "common/support/edit_distance.hpp"
#include "common/support/options.hpp"
#include "common/support/quantity.hpp"
#include "m2_file_server/bench/read_blocks.hpp"

namespace file_server::bench_read {
namespace {

using support::Option;

std::vector<std::string> split_at_commas(std::string_view list) {
  std::vector<std::string> words;
  while (true) {
    const std::size_t comma = list.find(',');
    words.emplace_back(list.substr(0, comma));
    if (comma == std::string_view::npos) {
      return words;
    }
    list.remove_prefix(comma + 1);
  }
}

std::expected<std::vector<std::uint32_t>, std::string> parse_depths(const std::string& list) {
  constexpr std::int64_t kMostInFlight = 4096;
  std::vector<std::uint32_t> depths;
  for (const std::string& word : split_at_commas(list)) {
    const auto depth = support::parse_quantity(word, support::kNoUnit);
    if (!depth || *depth < 1 || *depth > kMostInFlight) {
      return std::unexpected(
          "--depths needs whole numbers from 1 to 4096 with commas between, not '" + list + "'");
    }
    depths.push_back(static_cast<std::uint32_t>(*depth));
  }
  return depths;
}

// Those of `ways` that the list names, in the order of `ways`.
std::expected<std::vector<ReadWay>, std::string> choose(const std::vector<ReadWay>& ways,
                                                        const std::string& list) {
  const auto wanted = split_at_commas(list);
  for (const std::string& name : wanted) {
    const ReadWay& nearest = *std::ranges::min_element(ways, {}, [&name](const ReadWay& way) {
      return support::edit_distance(name_of(way), name);
    });
    if (name_of(nearest) != name) {
      return std::unexpected("--only: there is no way to read '" + name +
                             "'; the nearest name is '" + name_of(nearest) + "'");
    }
  }
  std::vector<ReadWay> chosen;
  std::ranges::copy_if(ways, std::back_inserter(chosen), [&wanted](const ReadWay& way) {
    return std::ranges::find(wanted, name_of(way)) != wanted.end();
  });
  return chosen;
}

}  // namespace

std::optional<int> parse_read_options(int argc, char** argv, ReadOptions& options) {
  using namespace std::chrono_literals;
  constexpr std::uint64_t kSmallest = 1 << 20;
  constexpr std::uint64_t kLargest = 64ULL << 30;
  bool full = false;
  std::string depth_list = "1,4,16,64,256";
  std::string only;
  const support::Options table(
      "m2_file_server bench read",
      "Random 4 KiB reads of a file that is made for it: by pread in a loop, by pread with 64 "
      "threads, by the ring. Past the page cache (direct), with a cold one, with a hot one. Every "
      "block that is read is verified.",
      {Option::text("depths", "LIST", &depth_list, "reads that the ring has in flight"),
       Option::flag("full", &full,
                    "each depth with and without fixed buffers and registered files"),
       Option::text("only", "LIST", &only, "some of them, by the names that the table shows"),
       Option::integer("pairs", &options.pairs, 1, 10'000, "slices of each"),
       Option::duration("slice", &options.slice, 1ms, 10min, "how long one is"),
       Option::size("size", &options.size, kSmallest, kLargest, "of the file"),
       Option::text("directory", "DIR", &options.directory,
                    "where the file is made, which is removed afterwards"),
       Option::text("file", "FILE", &options.file,
                    "keep the file under this name, or use the one that is there"),
       Option::integer("seed", &options.seed, 0, INT64_MAX, "of the order of the reads"),
       Option::text("json", "FILE", &options.json, "write the results there; -: to stdout")});
  if (const auto exit_status = table.parse_main(argc, argv)) {
    return exit_status;
  }
  const auto complain = [](const std::string& sentence) {
    std::fprintf(stderr, "m2_file_server bench read: %s\n", sentence.c_str());
    return 2;
  };
  if (options.size % kBlockBytes != 0) {
    return complain("--size needs a multiple of 4096 bytes");
  }
  const auto depths = parse_depths(depth_list);
  if (!depths) {
    return complain(depths.error());
  }
  options.ways = ways_to_read(*depths, full || !only.empty());
  if (!only.empty()) {
    auto chosen = choose(options.ways, only);
    if (!chosen) {
      return complain(chosen.error());
    }
    options.ways = *chosen;
  }
  return std::nullopt;
}

}  // namespace file_server::bench_read
