#include "m2_file_server/lifetime_story.hpp"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <string>

namespace file_server {

namespace {

constexpr std::size_t kPageColumns = 100;

std::string formatted(const char* format, std::va_list arguments) {
  char text[1024];
  std::vsnprintf(text, sizeof text, format, arguments);
  return text;
}

// The first line begins with `mark`, the others with as many spaces.
void print_paragraph(std::string_view mark, std::string_view paragraph) {
  std::string line(mark);
  bool line_is_empty = true;
  while (!paragraph.empty()) {
    const std::size_t space = std::min(paragraph.find(' '), paragraph.size());
    const std::string_view word = paragraph.substr(0, space);
    paragraph.remove_prefix(std::min(space + 1, paragraph.size()));
    if (!line_is_empty && line.size() + 1 + word.size() > kPageColumns) {
      std::printf("%s\n", line.c_str());
      line.assign(mark.size(), ' ');
      line_is_empty = true;
    }
    if (!line_is_empty) {
      line += ' ';
    }
    line += word;
    line_is_empty = false;
  }
  std::printf("%s\n", line.c_str());
}

}  // namespace

void Story::section(std::string_view title) {
  ++sections_;
  std::printf("\n%d. %.*s\n", sections_, static_cast<int>(title.size()), title.data());
}

void Story::say(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  print_paragraph("  ", formatted(format, arguments));
  va_end(arguments);
}

bool Story::claim(bool holds, const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  const std::string sentence = formatted(format, arguments);
  va_end(arguments);
  print_paragraph(holds ? "  [ok] " : "  [WRONG] ", sentence);
  if (!holds) {
    std::fprintf(stderr, "m2_file_server lifetime: this does not hold here: %s\n",
                 sentence.c_str());
    holds_ = false;
  }
  return holds;
}

bool Story::cannot(std::string_view what, base::Errno error) {
  std::fprintf(stderr, "m2_file_server lifetime: cannot %.*s: %s (%s)\n",
               static_cast<int>(what.size()), what.data(), error.name(), error.message());
  holds_ = false;
  return false;
}

}  // namespace file_server
