#include "m2_file_server/bench/read_bench.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "common/base/unique_fd.hpp"
#include "common/support/write_all.hpp"
#include "common/uring/features.hpp"
#include "m2_file_server/bench/read_file.hpp"
#include "m2_file_server/bench/read_measure.hpp"
#include "m2_file_server/bench/read_options.hpp"
#include "m2_file_server/bench/read_pread.hpp"
#include "m2_file_server/bench/read_report.hpp"
#include "m2_file_server/bench/read_ring.hpp"

namespace file_server {
namespace {

using namespace bench_read;

constexpr int kWrong = 1;
constexpr int kCannotStart = 2;

int complain(int status, const std::string& sentence) {
  std::fprintf(stderr, "m2_file_server bench read: %s\n", sentence.c_str());
  return status;
}

// `features` must outlive it.
Outcome<ReadSlice> make_reader(const ReadWay& way, const ReadFile& file,
                               const uring::Features& features) {
  if (const std::string& reason = file.why_not(way.cache); !reason.empty()) {
    return std::unexpected(reason);
  }
  const int fd = file.fd(way.cache);
  switch (way.method) {
    case Method::Pread:
      return pread_in_a_loop(fd);
    case Method::Threads:
      return pread_by_threads(fd, way.depth);
    case Method::Ring:
      break;
  }
  // A first one shows whether it can be had. Each slice has its own, as the threads are new in
  // each: a thread may register no more than 16 descriptors of rings at a time.
  if (const auto ring = RingReader::create(way, fd, features); !ring) {
    return std::unexpected(ring.error());
  }
  return [way, fd, &features](const Walk& walk, std::uint64_t duration_ns,
                              support::Histogram& latency_ns) -> Outcome<Slice> {
    const auto ring = RingReader::create(way, fd, features);
    return ring ? (*ring)->read(walk, duration_ns, latency_ns) : std::unexpected(ring.error());
  };
}

ReadResults make_contenders(const ReadOptions& options, const ReadFile& file,
                            const uring::Features& features) {
  ReadResults results;
  for (const ReadWay& way : options.ways) {
    if (auto reader = make_reader(way, file, features)) {
      results.contenders.push_back({.way = way, .read = std::move(*reader)});
    } else {
      results.not_measured.push_back({.name = name_of(way), .reason = reader.error()});
    }
  }
  return results;
}

// A reason is said once, for all that follow each other and have it.
void print_not_measured(const std::vector<NotMeasured>& all) {
  std::string reason;
  std::string names;
  const auto print = [&] {
    if (!names.empty()) {
      complain(0, "not measured: " + names + ": " + reason);
    }
  };
  for (const NotMeasured& missing : all) {
    if (missing.reason != reason) {
      print();
      reason = missing.reason;
      names.clear();
    }
    names += (names.empty() ? "" : ", ") + missing.name;
  }
  print();
}

bool write_report(int fd, const std::string& text) {
  const auto written = support::write_all(fd, std::as_bytes(std::span(text)));
  if (!written) {
    complain(kWrong, std::string("the results cannot be written: ") + written.error().message());
  }
  return written.has_value();
}

}  // namespace

int run_read_bench(int argc, char** argv) {
  ReadOptions options;
  if (const auto exit_status = parse_read_options(argc, argv, options)) {
    return *exit_status;
  }
  const auto features = uring::detect_features_or_explain();
  if (!features) {
    return complain(kCannotStart, features.error());
  }
  const bool json_to_stdout = options.json == "-";
  base::UniqueFd json_file;  // opened before the run, so that a wrong name shows at once
  if (!options.json.empty() && !json_to_stdout) {
    json_file.reset(::open(options.json.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    if (!json_file.valid()) {
      return complain(kCannotStart,
                      "cannot write " + options.json + ": " + base::last_error().message());
    }
  }
  auto file = ReadFile::prepare(
      {.path = options.file, .directory = options.directory, .bytes = options.size});
  if (!file) {
    return complain(kCannotStart, file.error());
  }
  ReadResults results = make_contenders(options, *file, *features);
  print_not_measured(results.not_measured);
  if (results.contenders.empty()) {
    return complain(kCannotStart, "nothing is left to measure");
  }
  auto caches = measure(results.contenders, *file,
                        {.rounds = options.pairs,
                         .slice_ns = static_cast<std::uint64_t>(options.slice.count()),
                         .seed = options.seed});
  if (!caches) {
    return complain(kWrong, caches.error());
  }
  results.caches = std::move(*caches);
  bool is_written = true;
  if (json_file.valid()) {
    is_written = write_report(json_file.get(), results_as_json(options, results));
  }
  is_written &= write_report(STDOUT_FILENO, json_to_stdout ? results_as_json(options, results)
                                                           : results_as_text(options, results));
  return is_written ? 0 : kWrong;
}

}  // namespace file_server
