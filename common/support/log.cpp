#include "common/support/log.hpp"

#include <time.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstddef>
#include <cstdio>
#include <span>

#include "common/support/write_all.hpp"

namespace support {
namespace {

const char* prefix(LogLevel level) {
  switch (level) {
    case LogLevel::Error:
      return "error: ";
    case LogLevel::Warning:
      return "warning: ";
    case LogLevel::Info:
      return "";
    case LogLevel::Debug:
      return "debug: ";
  }
  return "";
}

// How many characters snprintf has put into `room`, of which it keeps one for its 0.
std::size_t kept(int wanted, std::size_t room) {
  return wanted < 0 ? 0 : std::min(static_cast<std::size_t>(wanted), room - 1);
}

std::size_t put_time(std::span<char> line) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  tm utc{};
  ::gmtime_r(&now.tv_sec, &utc);
  const std::size_t size = ::strftime(line.data(), line.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  constexpr long kNsPerMs = 1'000'000;
  const std::size_t room = line.size() - size;
  return size +
         kept(std::snprintf(line.data() + size, room, ".%03ldZ ", now.tv_nsec / kNsPerMs), room);
}

}  // namespace

void Log::write(LogLevel level, const char* format, ...) const {
  if (!prints(level)) {
    return;
  }
  constexpr std::size_t kLongestLine = 1000;
  std::array<char, kLongestLine> line;
  std::size_t size = time_ == LogTime::Utc ? put_time(line) : 0;
  size += kept(std::snprintf(line.data() + size, line.size() - size, "%s", prefix(level)),
               line.size() - size);
  std::va_list arguments;
  va_start(arguments, format);
  size += kept(std::vsnprintf(line.data() + size, line.size() - size, format, arguments),
               line.size() - size);
  va_end(arguments);

  std::replace_if(
      line.begin(), line.begin() + static_cast<std::ptrdiff_t>(size),
      [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  line[size++] = '\n';  // where the 0 was
  (void)write_all(fd_, std::as_bytes(std::span(line).first(size)));
}

}  // namespace support
