#include "m1_sq_cq/command_line.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "common/support/edit_distance.hpp"
#include "common/support/options.hpp"
#include "m1_sq_cq/text.hpp"

namespace m1 {

namespace {

using support::Option;
using support::Options;

Options options_for(std::string* trace_path, std::vector<std::string>* words) {
  return Options(
      "m1_sq_cq",
      "The rings of io_uring by hand, in lessons. Without a lesson: all of them in order.",
      {Option::text("trace", "FILE", trace_path,
                    "record what the rings do; `m1_sq_cq trace FILE` prints it"),
       Option::positional_list("LESSON", words, "a lesson or command, and its arguments")});
}

// What follows the lesson's name belongs to the lesson, except --trace. So the words are sorted:
// our own options first, then "--", then the lesson's words, which our parser leaves alone.
std::vector<const char*> ours_first(int argc, const char* const* argv) {
  std::vector<const char*> ours = {"m1_sq_cq"};
  std::vector<const char*> lessons = {"--"};
  const char* const* const end = argv + argc;
  for (const char* const* next = argv + std::min(argc, 1); next != end;) {
    const char* const word = *next++;
    const std::string_view view = word;
    const bool before_lesson = lessons.size() == 1;
    if (view == "--") {
      // Behind a lesson's name the lesson sees it too.
      lessons.insert(lessons.end(), before_lesson ? next : next - 1, end);
      break;
    }
    if (view == "--trace" || view.starts_with("--trace=")) {
      ours.push_back(word);
      if (view == "--trace" && next != end) {
        ours.push_back(*next++);
      }
    } else if (before_lesson && view.starts_with('-')) {
      ours.push_back(word);
    } else {
      lessons.push_back(word);
    }
  }
  ours.insert(ours.end(), lessons.begin(), lessons.end());
  return ours;
}

}  // namespace

std::expected<CommandLine, std::string> parse_command_line(int argc, const char* const* argv) {
  CommandLine result;
  std::vector<std::string> words;
  const std::vector<const char*> sorted = ours_first(argc, argv);
  const auto parsed =
      options_for(&result.trace_path, &words).parse(static_cast<int>(sorted.size()), sorted.data());
  if (!parsed) {
    return std::unexpected(parsed.error());
  }
  result.help = *parsed == support::Parsed::Help;
  if (!words.empty()) {
    result.command = std::move(words.front());
    result.args.assign(std::make_move_iterator(words.begin() + 1),
                       std::make_move_iterator(words.end()));
  }
  return result;
}

std::string help_text() {
  std::string trace_path;
  std::vector<std::string> words;
  return options_for(&trace_path, &words).help() +
         "\ncommands:\n"
         "  list              the lessons, one line each\n"
         "  trace FILE        print a recorded trace\n"
         "\nlessons:\n" +
         lesson_list() +
         "\nexit status: 0 everything was as described, 1 something was not, 2 it could not "
         "start.\n";
}

std::string lesson_list() {
  const auto call = [](const Lesson& lesson) {
    std::string words(lesson.name);
    if (!lesson.arguments.empty()) {
      words += " " + std::string(lesson.arguments);
    }
    return words;
  };
  std::size_t width = 0;
  for (const Lesson& lesson : lessons()) {
    width = std::max(width, call(lesson).size());
  }
  std::string list;
  for (const Lesson& lesson : lessons()) {
    list += text("  %-*s  %.*s\n", static_cast<int>(width), call(lesson).c_str(),
                 static_cast<int>(lesson.summary.size()), lesson.summary.data());
  }
  return list;
}

std::string unknown_lesson(const std::string& name) {
  std::string_view nearest = "list";
  for (const Lesson& lesson : lessons()) {
    if (support::edit_distance(name, lesson.name) < support::edit_distance(name, nearest)) {
      nearest = lesson.name;
    }
  }
  return "there is no lesson '" + name + "'; the nearest name is '" + std::string(nearest) +
         "', and `m1_sq_cq list` shows them all";
}

}  // namespace m1
