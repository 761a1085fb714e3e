#pragma once
// Text for people: printf's formats into a string, and paragraphs that fit a page.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace m1 {

// How wide a lesson prints, in columns.
inline constexpr std::size_t kPageColumns = 100;

// As printf(3), into a string.
[[nodiscard, gnu::format(printf, 1, 2)]] std::string text(const char* format, ...);

// The words of `paragraph` in lines of at most `columns`. A longer word has a line of its own.
[[nodiscard]] std::vector<std::string> wrap(std::string_view paragraph, std::size_t columns);

}  // namespace m1
