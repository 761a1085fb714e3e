#include "m1_sq_cq/process_view.hpp"

#include <dirent.h>

#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <memory>

namespace m1 {

std::optional<std::string> read_proc(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"),
                                                             std::fclose);
  if (file == nullptr) {
    return std::nullopt;
  }
  std::string content;
  char piece[4096];
  while (const std::size_t size = std::fread(piece, 1, sizeof piece, file.get())) {
    content.append(piece, size);
  }
  return content;
}

std::size_t count_open_fds() {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir("/proc/self/fd"), ::closedir);
  if (directory == nullptr) {
    return 0;
  }
  std::size_t entries = 0;
  while (const dirent* entry = ::readdir(directory.get())) {
    entries += entry->d_name[0] != '.' ? 1 : 0;
  }
  return entries - 1;
}

std::vector<RingMap> ring_maps() {
  std::vector<RingMap> maps;
  const std::string content = read_proc("/proc/self/maps").value_or("");
  std::string_view rest = content;
  while (!rest.empty()) {
    const std::size_t newline = std::min(rest.find('\n'), rest.size());
    const std::string line(rest.substr(0, newline));
    rest.remove_prefix(std::min(newline + 1, rest.size()));
    RingMap map{};
    if (line.find("anon_inode:[io_uring]") != std::string::npos &&
        std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %*s %" SCNx64, &map.start, &map.end,
                    &map.offset) == 3) {
      maps.push_back(map);
    }
  }
  return maps;
}

std::optional<std::uint64_t> number_after(std::string_view proc_text, std::string_view name) {
  const std::string start = "\n" + std::string(name) + ":";
  const std::string content = "\n" + std::string(proc_text);
  const std::size_t found = content.find(start);
  if (found == std::string::npos) {
    return std::nullopt;
  }
  const std::size_t digits = content.find_first_not_of(" \t", found + start.size());
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(content.data() + std::min(digits, content.size()),
                                      content.data() + content.size(), value);
  return parsed.ec == std::errc{} ? std::optional(value) : std::nullopt;
}

std::string fdinfo(int fd) {
  return read_proc("/proc/self/fdinfo/" + std::to_string(fd)).value_or("");
}

std::optional<std::uint64_t> pinned_kib() {
  return number_after(read_proc("/proc/self/status").value_or(""), "VmPin");
}

}  // namespace m1
