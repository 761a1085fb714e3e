#include "m2_file_server/bench/bench.hpp"

#include <array>
#include <cstdio>
#include <string>
#include <string_view>

#include "m2_file_server/bench/read_bench.hpp"
#include "m2_file_server/bench/serve_bench.hpp"

namespace file_server {
namespace {

struct Bench {
  std::string_view name;
  int (*run)(int argc, char** argv);
  const char* summary;
};

constexpr auto kBenches = std::to_array<Bench>({
    {"read", run_read_bench, "random 4 KiB reads: pread, 64 threads, the ring at several depths"},
    {"serve", run_serve_bench, "this server beside two that read and send with blocking calls"},
});

int print_help() {
  std::printf("usage: m2_file_server bench NAME [options]\n\nbenches:\n");
  for (const Bench& bench : kBenches) {
    std::printf("  %-6s %s\n", bench.name.data(), bench.summary);
  }
  std::printf("\n`m2_file_server bench NAME --help` lists the options of one.\n");
  return 0;
}

}  // namespace

int run_bench(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "m2_file_server bench: which one? read or serve; --help says more\n");
    return 2;
  }
  const std::string_view name = argv[1];
  if (name == "--help" || name == "-h") {
    return print_help();
  }
  for (const Bench& bench : kBenches) {
    if (bench.name == name) {
      return bench.run(argc - 1, argv + 1);
    }
  }
  std::fprintf(stderr, "m2_file_server bench: there is no bench '%s', only read and serve\n",
               std::string(name).c_str());
  return 2;
}

}  // namespace file_server
