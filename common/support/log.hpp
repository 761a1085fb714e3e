#pragma once
// Lines for the person who runs a server, on stderr. There is no global log: main() makes one and
// passes it on. Not for the path of a request, since every line is a system call.

#include <unistd.h>

#include <cstdint>

namespace support {

// From the gravest to the most talkative: a log prints its own level and those before it.
enum class LogLevel : std::uint8_t { Error, Warning, Info, Debug };

enum class LogTime : std::uint8_t { None, Utc };

class Log {
 public:
  // LogTime::Utc begins each line with "2026-01-31T23:59:59.123Z ". Does not own `fd`.
  explicit Log(LogLevel level = LogLevel::Info, LogTime time = LogTime::None,
               int fd = STDERR_FILENO)
      : level_(level), time_(time), fd_(fd) {}

  [[nodiscard]] bool prints(LogLevel level) const { return level <= level_; }

  // As printf, without the newline: "warning: TEXT" for a Warning. One write(2), so that the lines of
  // several processes do not mix. Control characters become '?': what a peer has sent cannot make a
  // line of its own. A line is cut at 1000 bytes. A write that fails is not reported, since there is
  // nowhere to report it.
  [[gnu::format(printf, 3, 4)]] void write(LogLevel level, const char* format, ...) const;

 private:
  LogLevel level_;
  LogTime time_;
  int fd_;
};

}  // namespace support
