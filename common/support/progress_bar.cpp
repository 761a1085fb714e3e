#include "common/support/progress_bar.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <span>

#include "common/support/format_bytes.hpp"
#include "common/support/write_all.hpp"

namespace support {
namespace {

constexpr std::uint64_t kRedraw_ns = 100'000'000;
constexpr std::string_view kEraseLine = "\r\x1b[K";

std::size_t terminal_columns(int fd) {
  winsize size{};
  constexpr std::size_t kUsual = 80;
  return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
}

std::string rate(const Progress& progress) {
  if (progress.elapsed_ns == 0) {
    return "";
  }
  constexpr double kNsPerSecond = 1e9;
  const double bytes_per_second = static_cast<double>(progress.done_bytes) * kNsPerSecond /
                                  static_cast<double>(progress.elapsed_ns);
  constexpr double kMost = 1e18;  // an EiB per second: what is beyond fits no integer
  return "  " + format_bytes(static_cast<std::uint64_t>(std::min(bytes_per_second, kMost))) + "/s";
}

void write_to_terminal(int fd, std::string_view text) {
  // A terminal that has gone away is no reason to end the transfer.
  (void)write_all(fd, std::as_bytes(std::span(text)));
}

}  // namespace

std::string format_progress(std::string_view label, const Progress& progress, std::size_t columns) {
  std::string line(label);
  std::string right = "  " + format_bytes(progress.done_bytes);
  if (progress.total_bytes != 0) {
    // More than the total can come if a file grew meanwhile: the bar stays full then.
    const double part = std::min(
        1.0, static_cast<double>(progress.done_bytes) / static_cast<double>(progress.total_bytes));
    char percent[16];
    std::snprintf(percent, sizeof percent, " %3d%%", static_cast<int>(part * 100));
    right = percent + right + " of " + format_bytes(progress.total_bytes) + rate(progress);

    constexpr std::size_t kFrame = 3;  // " [" and "]"
    constexpr std::size_t kShortestBar = 5;
    constexpr std::size_t kLongestBar = 40;
    const std::size_t taken = line.size() + right.size() + kFrame;
    if (taken + kShortestBar <= columns) {
      const std::size_t cells = std::min(columns - taken, kLongestBar);
      const auto full = static_cast<std::size_t>(part * static_cast<double>(cells));
      line += " [" + std::string(full, '#') + std::string(cells - full, '-') + "]";
    }
  } else {
    right += rate(progress);
  }
  line += right;
  line.resize(std::min(line.size(), columns));
  return line;
}

ProgressBar::ProgressBar(std::string_view label, std::uint64_t total_bytes, int fd,
                         std::uint64_t start_ns)
    : label_(label),
      total_bytes_(total_bytes),
      fd_(fd),
      on_terminal_(::isatty(fd) == 1),
      start_ns_(start_ns),
      next_draw_ns_(start_ns) {}

ProgressBar::~ProgressBar() {
  erase();
}

void ProgressBar::update(std::uint64_t done_bytes, std::uint64_t time_ns) {
  if (!on_terminal_ || time_ns < next_draw_ns_) {
    return;
  }
  next_draw_ns_ = time_ns + kRedraw_ns;
  // Text in the last column makes some terminals go to the next line, where no erasing finds it.
  const std::size_t columns = terminal_columns(fd_) - 1;
  const Progress progress{
      .done_bytes = done_bytes, .total_bytes = total_bytes_, .elapsed_ns = time_ns - start_ns_};
  write_to_terminal(fd_, std::string(kEraseLine) + format_progress(label_, progress, columns));
  drawn_ = true;
}

void ProgressBar::erase() {
  if (drawn_) {
    write_to_terminal(fd_, kEraseLine);
    drawn_ = false;
    next_draw_ns_ = 0;
  }
}

}  // namespace support
