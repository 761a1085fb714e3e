#pragma once
// How far a long transfer has come, on one line of the terminal:
//
//   copying [##########----------]  50%  512.0 MiB of 1.0 GiB  640.2 MiB/s
//   receiving  512.0 MiB  640.2 MiB/s                              (total unknown)
//
// It is drawn on a terminal only, so that no log or pipe ever gets it, at most ten times a second,
// and is gone without a trace at the end. Drawing blocks if the terminal does.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/support/cpu_clock.hpp"

namespace support {

struct Progress {
  std::uint64_t done_bytes;
  std::uint64_t total_bytes;  // 0: not known
  std::uint64_t elapsed_ns;
};

// The line, at most `columns` wide. The bar takes the room that the rest leaves.
[[nodiscard]] std::string format_progress(std::string_view label, const Progress& progress,
                                          std::size_t columns);

class ProgressBar {
 public:
  // `total_bytes` 0: not known. Does not own `fd`.
  ProgressBar(std::string_view label, std::uint64_t total_bytes, int fd = 2,
              std::uint64_t start_ns = now_ns());
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // Call it as often as you like, with all that is done so far.
  void update(std::uint64_t done_bytes, std::uint64_t time_ns = now_ns());

  // Takes the line away, so that something else can be printed. The next update draws it again.
  void erase();

 private:
  std::string label_;
  std::uint64_t total_bytes_;
  int fd_;
  bool on_terminal_;
  bool drawn_ = false;
  std::uint64_t start_ns_;
  std::uint64_t next_draw_ns_;
};

}  // namespace support
