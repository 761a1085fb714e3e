#pragma once
// m1_sq_cq [--trace FILE] [LESSON [ARGS]], with --trace before or after the lesson's name.

#include <expected>
#include <string>
#include <vector>

#include "m1_sq_cq/lesson.hpp"

namespace m1 {

struct CommandLine {
  bool help = false;
  std::string trace_path;         // empty: no trace
  std::string command;            // a lesson, "list", "trace"; empty: the tour
  std::vector<std::string> args;  // the command's own, as they were written
};

// An error is one sentence.
[[nodiscard]] std::expected<CommandLine, std::string> parse_command_line(int argc,
                                                                         const char* const* argv);

// What --help prints: the usage, the options, the commands and the lessons.
[[nodiscard]] std::string help_text();
// What `list` prints: the lessons in their order, one line each.
[[nodiscard]] std::string lesson_list();

// "there is no lesson 'nopp'; did you mean 'nop'? `m1_sq_cq list` shows them all"
[[nodiscard]] std::string unknown_lesson(const std::string& name);

}  // namespace m1
