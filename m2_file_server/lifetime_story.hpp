#pragma once
// How `lifetime` speaks, and how it keeps itself honest: what the kernel did is a claim, which is
// checked, and one false claim makes the program fail.

#include <string_view>

#include "common/base/errno.hpp"

namespace file_server {

class Story {
 public:
  // A chapter's title, with its number.
  void section(std::string_view title);
  // A paragraph, broken into lines.
  [[gnu::format(printf, 2, 3)]] void say(const char* format, ...);
  // "  [ok] ..." or "  [WRONG] ...", and then on stderr as well. Returns `holds`.
  [[gnu::format(printf, 3, 4)]] bool claim(bool holds, const char* format, ...);
  // Something could not be done: "m2_file_server lifetime: cannot set up a ring: ENOMEM (...)" on
  // stderr. Returns false, which is what the caller returns as well.
  bool cannot(std::string_view what, base::Errno error);

  // Every claim held, and nothing failed.
  [[nodiscard]] bool holds() const { return holds_; }

 private:
  int sections_ = 0;
  bool holds_ = true;
};

}  // namespace file_server
