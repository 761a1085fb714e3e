#include "m1_sq_cq/text.hpp"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

namespace m1 {

std::string text(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  std::va_list again;
  va_copy(again, arguments);
  const int size = std::vsnprintf(nullptr, 0, format, arguments);
  va_end(arguments);
  std::string result(static_cast<std::size_t>(std::max(size, 0)), '\0');
  std::vsnprintf(result.data(), result.size() + 1, format, again);
  va_end(again);
  return result;
}

std::vector<std::string> wrap(std::string_view paragraph, std::size_t columns) {
  std::vector<std::string> lines;
  std::string line;
  while (!paragraph.empty()) {
    const std::size_t space = std::min(paragraph.find(' '), paragraph.size());
    const std::string_view word = paragraph.substr(0, space);
    paragraph.remove_prefix(std::min(space + 1, paragraph.size()));
    if (!line.empty() && line.size() + 1 + word.size() > columns) {
      lines.push_back(std::move(line));
      line.clear();
    }
    if (!line.empty()) {
      line += ' ';
    }
    line += word;
  }
  lines.push_back(std::move(line));
  return lines;
}

}  // namespace m1
