#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "common/base/unique_fd.hpp"
#include "common/support/format_bytes.hpp"
#include "common/support/progress_bar.hpp"

namespace {

using support::format_bytes;
using support::format_progress;
using support::ProgressBar;

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kSecond_ns = 1'000'000'000;
constexpr std::uint64_t kMs_ns = 1'000'000;

TEST(FormatBytes, PicksTheUnit) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1024), "1.0 KiB");
  EXPECT_EQ(format_bytes(1536), "1.5 KiB");
  EXPECT_EQ(format_bytes(kMiB - 1), "1.0 MiB");
  EXPECT_EQ(format_bytes(100 * kMiB), "100.0 MiB");
  EXPECT_EQ(format_bytes(5 * 1024 * kMiB), "5.0 GiB");
  EXPECT_EQ(format_bytes(UINT64_MAX), "16.0 EiB");
}

TEST(FormatProgress, ShowsABarIfTheTotalIsKnown) {
  EXPECT_EQ(format_progress("copying", {50 * kMiB, 100 * kMiB, kSecond_ns}, 70),
            "copying [##########----------]  50%  50.0 MiB of 100.0 MiB  50.0 MiB/s");
  EXPECT_EQ(format_progress("copying", {0, 100 * kMiB, 0}, 47),
            "copying [--------------]   0%  0 B of 100.0 MiB");
  EXPECT_EQ(format_progress("copying", {100 * kMiB, 100 * kMiB, 2 * kSecond_ns}, 60),
            "copying [#########] 100%  100.0 MiB of 100.0 MiB  50.0 MiB/s");
}

TEST(FormatProgress, OnlyTheWholeIsAHundredPercent) {
  EXPECT_NE(format_progress("x", {999, 1000, 0}, 80).find(" 99% "), std::string::npos);
  EXPECT_NE(format_progress("x", {2000, 1000, 0}, 80).find(" 100% "), std::string::npos);
}

TEST(FormatProgress, ShowsNoBarIfTheTotalIsNotKnown) {
  EXPECT_EQ(format_progress("receiving", {50 * kMiB, 0, kSecond_ns / 2}, 80),
            "receiving  50.0 MiB  100.0 MiB/s");
}

TEST(FormatProgress, KeepsToTheWidth) {
  for (std::size_t columns = 0; columns < 150; ++columns) {
    EXPECT_LE(format_progress("copying", {1, 3, 1}, columns).size(), columns);
  }
}

// A terminal of our own: what the bar writes to `bar_side` can be read from `our_side`.
class Terminal {
 public:
  Terminal() : our_side_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)) {
    EXPECT_TRUE(our_side_.valid());
    EXPECT_EQ(::grantpt(our_side_.get()), 0);
    EXPECT_EQ(::unlockpt(our_side_.get()), 0);
    char name[64] = "";
    EXPECT_EQ(::ptsname_r(our_side_.get(), name, sizeof name), 0);
    bar_side_.reset(::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
    EXPECT_TRUE(bar_side_.valid());
    set_columns(71);
  }

  void set_columns(unsigned short columns) {
    const winsize size{.ws_row = 24, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    EXPECT_EQ(::ioctl(bar_side_.get(), TIOCSWINSZ, &size), 0);
  }

  [[nodiscard]] int fd() const { return bar_side_.get(); }

  // What has been written since the last time.
  [[nodiscard]] std::string take() const {
    char text[4096];
    const ssize_t size = ::read(our_side_.get(), text, sizeof text);
    return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : "";
  }

 private:
  base::UniqueFd our_side_;
  base::UniqueFd bar_side_;
};

constexpr const char* kErase = "\r\x1b[K";

TEST(ProgressBar, DrawsOnATerminalAndErasesItselfAtTheEnd) {
  const Terminal terminal;
  {
    ProgressBar bar("copying", 100 * kMiB, terminal.fd(), 0);
    EXPECT_EQ(terminal.take(), "");
    bar.update(50 * kMiB, kSecond_ns);
    EXPECT_EQ(terminal.take(),
              "\r\x1b[K"
              "copying [##########----------]  50%  50.0 MiB of 100.0 MiB  50.0 MiB/s");
  }
  EXPECT_EQ(terminal.take(), kErase);
}

TEST(ProgressBar, IsRedrawnAtMostTenTimesASecond) {
  const Terminal terminal;
  ProgressBar bar("copying", 0, terminal.fd(), 0);
  int drawn = 0;
  for (std::uint64_t ms = 0; ms < 1000; ++ms) {
    bar.update(ms, ms * kMs_ns);
    const std::string text = terminal.take();
    EXPECT_EQ(!text.empty(), ms % 100 == 0) << ms;
    drawn += text.empty() ? 0 : 1;
  }
  EXPECT_EQ(drawn, 10);
}

TEST(ProgressBar, FollowsTheWidthOfTheTerminal) {
  Terminal terminal;
  ProgressBar bar("copying", 100 * kMiB, terminal.fd(), 0);
  terminal.set_columns(20);
  bar.update(50 * kMiB, 0);
  EXPECT_EQ(terminal.take().size(), std::string_view(kErase).size() + 19);
  terminal.set_columns(0);  // not known: taken for 80
  bar.update(50 * kMiB, kSecond_ns);
  EXPECT_EQ(terminal.take().size(), std::string_view(kErase).size() + 79);
}

TEST(ProgressBar, ErasedItMakesRoomAndComesBack) {
  const Terminal terminal;
  ProgressBar bar("copying", 0, terminal.fd(), 0);
  bar.erase();
  EXPECT_EQ(terminal.take(), "");  // there was nothing to erase
  bar.update(1, kMs_ns);
  (void)terminal.take();
  bar.erase();
  EXPECT_EQ(terminal.take(), kErase);
  bar.erase();
  EXPECT_EQ(terminal.take(), "");
  bar.update(1, 2 * kMs_ns);
  EXPECT_NE(terminal.take(), "");
}

TEST(ProgressBar, WritesNothingToWhatIsNoTerminal) {
  int fds[2] = {-1, -1};
  ASSERT_EQ(::pipe2(fds, O_CLOEXEC), 0);
  const base::UniqueFd read_end(fds[0]);
  base::UniqueFd write_end(fds[1]);
  {
    ProgressBar bar("copying", 100, write_end.get(), 0);
    bar.update(50, kSecond_ns);
    bar.erase();
  }
  write_end.reset();
  char byte = 0;
  EXPECT_EQ(::read(read_end.get(), &byte, 1), 0);
}

}  // namespace
