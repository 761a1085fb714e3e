#include <fcntl.h>
#include <unistd.h>

#include <string>

#include <gtest/gtest.h>

#include "common/base/unique_fd.hpp"
#include "common/support/log.hpp"

namespace {

using support::Log;
using support::LogLevel;
using support::LogTime;

// A pipe that keeps each write apart from the next (O_DIRECT: "packet mode", pipe(2)).
class LogTest : public testing::Test {
 protected:
  LogTest() {
    int fds[2] = {-1, -1};
    EXPECT_EQ(::pipe2(fds, O_CLOEXEC | O_DIRECT | O_NONBLOCK), 0);
    read_end_.reset(fds[0]);
    write_end_.reset(fds[1]);
  }

  // What the next write(2) wrote; nothing if there was none.
  [[nodiscard]] std::string take() const {
    char text[4096];
    const ssize_t size = ::read(read_end_.get(), text, sizeof text);
    return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : "";
  }

  base::UniqueFd read_end_;
  base::UniqueFd write_end_;
};

TEST_F(LogTest, ALineIsOneWrite) {
  const Log log(LogLevel::Debug, LogTime::None, write_end_.get());
  log.write(LogLevel::Info, "listening on %s:%d", "127.0.0.1", 8080);
  log.write(LogLevel::Error, "no memory");
  log.write(LogLevel::Warning, "all %d slots are taken", 3);
  log.write(LogLevel::Debug, "%s", "");
  EXPECT_EQ(take(), "listening on 127.0.0.1:8080\n");
  EXPECT_EQ(take(), "error: no memory\n");
  EXPECT_EQ(take(), "warning: all 3 slots are taken\n");
  EXPECT_EQ(take(), "debug: \n");
  EXPECT_EQ(take(), "");
}

TEST_F(LogTest, PrintsUpToItsLevel) {
  constexpr LogLevel kLevels[] = {LogLevel::Error, LogLevel::Warning, LogLevel::Info,
                                  LogLevel::Debug};
  for (const LogLevel level : kLevels) {
    const Log log(level, LogTime::None, write_end_.get());
    for (const LogLevel line : kLevels) {
      log.write(line, "x");
      EXPECT_EQ(log.prints(line), line <= level);
      EXPECT_EQ(!take().empty(), line <= level);
    }
  }
}

TEST_F(LogTest, BeginsWithTheTimeIfWanted) {
  const Log log(LogLevel::Info, LogTime::Utc, write_end_.get());
  log.write(LogLevel::Error, "x");
  const std::string line = take();
  const std::string pattern = "dddd-dd-ddTdd:dd:dd.dddZ error: x\n";
  ASSERT_EQ(line.size(), pattern.size()) << line;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (pattern[i] == 'd' && i < pattern.find('Z')) {
      EXPECT_TRUE(line[i] >= '0' && line[i] <= '9') << line;
    } else {
      EXPECT_EQ(line[i], pattern[i]) << line;
    }
  }
}

TEST_F(LogTest, APeerCannotMakeALine) {
  const Log log(LogLevel::Info, LogTime::None, write_end_.get());
  log.write(LogLevel::Info, "bad request '%s'", "x\nerror: all is lost\r\x1b[2J\x7f \xc3\xa4");
  EXPECT_EQ(take(), "bad request 'x?error: all is lost??[2J? \xc3\xa4'\n");
}

TEST_F(LogTest, ALongLineIsCutAndStaysALine) {
  const Log log(LogLevel::Info, LogTime::None, write_end_.get());
  log.write(LogLevel::Info, "%s", std::string(998, 'x').c_str());
  EXPECT_EQ(take(), std::string(998, 'x') + '\n');
  log.write(LogLevel::Info, "%s", std::string(5000, 'x').c_str());
  EXPECT_EQ(take(), std::string(999, 'x') + '\n');
  EXPECT_EQ(take(), "");
}

TEST_F(LogTest, AFailingWriteDisturbsNobody) {
  const Log log(LogLevel::Info, LogTime::None, read_end_.get());
  log.write(LogLevel::Info, "x");
  EXPECT_EQ(take(), "");
}

}  // namespace
