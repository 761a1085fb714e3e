#include "checkpoints/load_client/server_usage.hpp"

#include <dirent.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <string>

#include "common/support/cpu_clock.hpp"

namespace load_client {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

struct StatusField {
  const char* name;  // with the colon
  std::uint64_t* number;
};

// A status file is lines of "Name:\tnumber ...". Fields that it does not have are left alone.
base::Result<void> read_status(const std::string& path, std::initializer_list<StatusField> fields) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "re"));
  if (!file) {
    return base::fail(base::last_error());
  }
  char line[256];
  while (std::fgets(line, sizeof line, file.get()) != nullptr) {
    for (const StatusField& field : fields) {
      if (const std::size_t size = std::strlen(field.name);
          std::strncmp(line, field.name, size) == 0) {
        *field.number = std::strtoull(line + size, nullptr, 10);
      }
    }
  }
  return {};
}

}  // namespace

ServerUsage& ServerUsage::operator+=(const ServerUsage& other) {
  cpu_ns += other.cpu_ns;
  voluntary_switches += other.voluntary_switches;
  involuntary_switches += other.involuntary_switches;
  return *this;
}

ServerUsage ServerUsage::since(const ServerUsage& earlier) const {
  const auto grown = [](std::uint64_t now, std::uint64_t then) {
    return now > then ? now - then : 0;
  };
  return {.cpu_ns = grown(cpu_ns, earlier.cpu_ns),
          .voluntary_switches = grown(voluntary_switches, earlier.voluntary_switches),
          .involuntary_switches = grown(involuntary_switches, earlier.involuntary_switches)};
}

base::Result<ServerUsage> read_server_usage(pid_t pid) {
  const auto cpu_ns = support::process_cpu_ns(pid);
  if (!cpu_ns) {
    return base::fail(cpu_ns.error());
  }
  ServerUsage usage{.cpu_ns = *cpu_ns};
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  const std::unique_ptr<DIR, CloseFolder> folder(::opendir(tasks.c_str()));
  if (!folder) {
    return base::fail(base::last_error());
  }
  while (const dirent* entry = ::readdir(folder.get())) {
    ServerUsage thread;
    if (entry->d_name[0] != '.' &&
        read_status(tasks + "/" + entry->d_name + "/status",
                    {{"voluntary_ctxt_switches:", &thread.voluntary_switches},
                     {"nonvoluntary_ctxt_switches:", &thread.involuntary_switches}})) {
      usage += thread;  // one that could not be read has ended meanwhile
    }
  }
  return usage;
}

base::Result<ServerMemory> read_server_memory(pid_t pid) {
  std::uint64_t rss_kib = 0;
  std::uint64_t rss_max_kib = 0;
  const auto read = read_status("/proc/" + std::to_string(pid) + "/status",
                                {{"VmRSS:", &rss_kib}, {"VmHWM:", &rss_max_kib}});
  if (!read) {
    return base::fail(read.error());
  }
  return ServerMemory{.rss_bytes = rss_kib << 10, .rss_max_bytes = rss_max_kib << 10};
}

}  // namespace load_client
