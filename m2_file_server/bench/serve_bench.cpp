#include "m2_file_server/bench/serve_bench.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/base/unique_fd.hpp"
#include "common/support/file_limit.hpp"
#include "common/support/signal_source.hpp"
#include "common/support/write_all.hpp"
#include "m2_file_server/bench/serve_cpus.hpp"
#include "m2_file_server/bench/serve_files.hpp"
#include "m2_file_server/bench/serve_measure.hpp"
#include "m2_file_server/bench/serve_options.hpp"
#include "m2_file_server/bench/serve_report.hpp"
#include "m2_file_server/bench/serve_servers.hpp"

namespace file_server {
namespace serve_bench {
namespace {

using Outcome = std::expected<void, std::string>;

int complain(int exit_status, const std::string& sentence) {
  std::fprintf(stderr, "m2_file_server bench serve: %s\n", sentence.c_str());
  return exit_status;
}

int complain(int exit_status, const std::string& what, base::Errno error) {
  return complain(exit_status, what + ": " + error.message() + " (" + error.name() + ")");
}

// As soon as it is known. Nothing if stdout is for the JSON.
void print(const Options& options, const std::string& text) {
  if (options.json != "-") {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
  }
}

struct Servers {
  ServerProcess ring;
  ServerProcess one_thread;
  ServerProcess pool;
};

std::expected<Servers, std::string> start_servers(const std::string& root, const Setting& setting,
                                                  int interrupt_fd) {
  const ServerSetting same{.root = root, .cpu = setting.cpus.server};
  auto ring = start_ring_server(same, interrupt_fd);
  auto one_thread = start_one_thread(same);
  auto pool = start_thread_pool(same, setting.threads);
  for (const auto* started : {&ring, &one_thread, &pool}) {
    if (!*started) {
      return std::unexpected(started->error());
    }
  }
  return Servers{
      .ring = std::move(*ring), .one_thread = std::move(*one_thread), .pool = std::move(*pool)};
}

Outcome stop_servers(Servers& servers) {
  Outcome outcome;  // the first problem
  for (ServerProcess* server : {&servers.ring, &servers.one_thread, &servers.pool}) {
    if (auto problem = stop_server(*server); problem && outcome) {
      outcome = std::unexpected(std::move(*problem));
    }
  }
  return outcome;
}

// Every comparison for every size and number of clients.
Outcome measure_all(const Servers& servers, const std::vector<ServedFile>& files,
                    const Options& options, const Setting& setting, int interrupt_fd,
                    std::vector<Duel>& duels) {
  struct Row {
    const ServerProcess& other;
    Connections connections;
  };
  const Row rows[] = {{servers.one_thread, Connections::PerRequest},
                      {servers.pool, Connections::PerRequest},
                      {servers.pool, Connections::KeptAlive}};
  for (const ServedFile& file : files) {
    for (const std::uint64_t clients : options.clients) {
      for (const Row& row : rows) {
        const DuelPlan plan{.file = &file,
                            .clients = static_cast<std::uint32_t>(clients),
                            .connections = row.connections};
        auto duel = measure_duel(servers.ring, row.other, plan, setting.slices, interrupt_fd);
        if (!duel) {
          return std::unexpected(std::move(duel.error()));
        }
        duels.push_back(std::move(*duel));
        print(options, duel_as_text(duels.back()));
      }
    }
  }
  return {};
}

// Where the JSON goes, opened before anything is measured for it. An empty path: an invalid one.
base::Result<base::UniqueFd> open_json(const std::string& path) {
  if (path.empty()) {
    return base::UniqueFd();
  }
  base::UniqueFd fd(path == "-"
                        ? ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
                        : ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!fd.valid()) {
    return base::fail(base::last_error());
  }
  return fd;
}

// The exit status.
int run(const Options& options, const Setting& setting, const support::SignalSource& signals) {
  const auto json = open_json(options.json);
  if (!json) {
    return complain(2, "cannot write " + options.json, json.error());
  }
  const auto folder = ServedFolder::create(options.sizes);
  if (!folder) {
    return complain(2, "cannot make the files to serve", folder.error());
  }
  auto servers = start_servers(folder->path(), setting, signals.fd());
  if (!servers) {
    return complain(2, servers.error());
  }
  print(options, heading_as_text(setting));
  std::vector<Duel> duels;
  const Outcome measured =
      measure_all(*servers, folder->files(), options, setting, signals.fd(), duels);
  const Outcome stopped = stop_servers(*servers);
  for (const Outcome* outcome : {&measured, &stopped}) {
    if (!*outcome) {
      complain(1, outcome->error());
    }
  }
  if (!measured || !stopped) {
    return 1;
  }
  const std::string text = json->valid() ? as_json(setting, duels) + "\n" : "";
  const auto written = support::write_all(json->get(), std::as_bytes(std::span(text)));
  return written ? 0 : complain(1, "cannot write " + options.json, written.error());
}

}  // namespace
}  // namespace serve_bench

int run_serve_bench(int argc, char** argv) {
  using namespace serve_bench;
  Options options;
  if (const auto exit_status = parse_options(argc, argv, options)) {
    return *exit_status;
  }
  // What would end us on the spot only stops the measuring, so that the servers and the files go
  // too. Nobody takes the signal out: it is still there when SignalSource unblocks it, and ends us
  // then, as whoever has sent it expects.
  const auto signals = support::SignalSource::create({SIGINT, SIGTERM, SIGHUP, SIGPIPE});
  if (!signals) {
    return complain(2, "cannot receive signals", signals.error());
  }
  (void)support::raise_file_limit(signals->fd());  // each client is two descriptors
  const Setting setting{.cpus = choose_cpus(),
                        .slices = {.slice_ns = static_cast<std::uint64_t>(options.slice.count()),
                                   .pairs = options.pairs},
                        .threads = options.threads};
  return run(options, setting, *signals);
}

}  // namespace file_server
