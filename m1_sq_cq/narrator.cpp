#include "m1_sq_cq/narrator.hpp"

#include <cstdarg>
#include <cstdio>

#include "common/base/check.hpp"
#include "m1_sq_cq/text.hpp"

namespace m1 {

namespace {

std::string formatted(const char* format, std::va_list arguments) {
  char buffer[1024];
  std::vsnprintf(buffer, sizeof buffer, format, arguments);
  return buffer;
}

// The first line begins with `mark`, the others with as many spaces.
void print_paragraph(std::string_view mark, std::string_view paragraph) {
  std::string start(mark);
  for (const std::string& line : wrap(paragraph, kPageColumns - mark.size())) {
    std::printf("%s%s\n", start.c_str(), line.c_str());
    start.assign(mark.size(), ' ');
  }
}

}  // namespace

Narrator::Narrator(std::string_view lesson) : lesson_(lesson) {
  const Lesson* row = find_lesson(lesson);
  CHECK(row != nullptr, "a narrated lesson is in the table");
  const std::string title = lesson_ + ": " + std::string(row->summary);
  std::printf("%s\n%s\n", title.c_str(), std::string(title.size(), '=').c_str());
}

void Narrator::section(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  std::printf("\n%s\n", formatted(format, arguments).c_str());
  va_end(arguments);
}

void Narrator::say(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  print_paragraph("  ", formatted(format, arguments));
  va_end(arguments);
}

void Narrator::line(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  std::printf("  %s\n", formatted(format, arguments).c_str());
  va_end(arguments);
}

void Narrator::gap() {
  std::putchar('\n');
}

bool Narrator::claim(bool holds, const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  const std::string sentence = formatted(format, arguments);
  va_end(arguments);
  print_paragraph(holds ? "  [ok] " : "  [WRONG] ", sentence);
  if (!holds) {
    std::fprintf(stderr, "m1_sq_cq %s: this does not hold here: %s\n", lesson_.c_str(),
                 sentence.c_str());
    status_ = Status::Failed;
  }
  return holds;
}

void Narrator::skip(uring::Feature needed, std::string_view what) {
  const uring::FeatureInfo& feature = uring::info(needed);
  print_paragraph("  [not here] ", text("%.*s: needs %s (Linux %s).", static_cast<int>(what.size()),
                                        what.data(), feature.name, feature.since));
}

Status Narrator::cannot(std::string_view what, base::Errno error) {
  std::fprintf(stderr, "m1_sq_cq %s: cannot %.*s: %s (%s)\n", lesson_.c_str(),
               static_cast<int>(what.size()), what.data(), error.name(), error.message());
  status_ = Status::Failed;
  return status_;
}

}  // namespace m1
