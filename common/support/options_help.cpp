// The table as the text that --help prints.

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/support/options.hpp"

namespace support {
namespace {

// Appends `text` in lines of at most 80 columns, each after the first indented by `indent`;
// `column` is where the first one begins.
void append_wrapped(std::string& out, std::string_view text, std::size_t column,
                    std::size_t indent) {
  constexpr std::size_t kWidth = 80;
  bool line_is_empty = true;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (!line_is_empty && column + 1 + word.size() > kWidth) {
      out += '\n';
      out.append(indent, ' ');
      column = indent;
      line_is_empty = true;
    }
    if (!line_is_empty) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
    line_is_empty = false;
  }
  out += '\n';
}

}  // namespace

std::string Options::help() const {
  struct Row {
    std::string left;
    std::string right;
    bool is_positional;
  };
  std::vector<Row> rows;
  std::string usage = "usage: " + program_ + " [options]";
  const std::size_t usage_indent = std::string_view("usage: ").size() + program_.size() + 1;
  for (const Option& option : table_) {
    Row row{.left = {}, .right = option.help_, .is_positional = false};
    switch (option.kind_) {
      case Option::Kind::Flag:
        row.left = "--[no-]" + option.name_;
        break;
      case Option::Kind::Value:
        row.left = "--" + option.name_ + " " + option.value_name_;
        break;
      case Option::Kind::Positional:
      case Option::Kind::PositionalList: {
        row.left = option.name_;
        row.is_positional = true;
        const std::string dots = option.kind_ == Option::Kind::PositionalList ? "..." : "";
        usage += option.required_ ? " " + option.name_ + dots : " [" + option.name_ + dots + "]";
        break;
      }
    }
    if (!option.default_.empty()) {
      row.right += " (default: " + option.default_ + ")";
    }
    rows.push_back(std::move(row));
  }
  rows.push_back({.left = "--help", .right = "print this and exit", .is_positional = false});

  constexpr std::size_t kMargin = 2;
  constexpr std::size_t kGap = 2;
  constexpr std::size_t kWidestLeft = 30;
  std::size_t left_width = 0;
  for (const Row& row : rows) {
    if (row.left.size() <= kWidestLeft) {
      left_width = std::max(left_width, row.left.size());
    }
  }
  const std::size_t column = kMargin + left_width + kGap;

  std::string out;
  append_wrapped(out, usage, 0, usage_indent);
  append_wrapped(out, summary_, 0, 0);
  const auto append_section = [&](std::string_view title, bool positionals) {
    if (std::ranges::none_of(rows,
                             [&](const Row& row) { return row.is_positional == positionals; })) {
      return;
    }
    out += '\n';
    out += title;
    out += ":\n";
    for (const Row& row : rows) {
      if (row.is_positional != positionals) {
        continue;
      }
      out.append(kMargin, ' ');
      out += row.left;
      if (row.left.size() <= left_width) {
        out.append(column - kMargin - row.left.size(), ' ');
      } else {
        out += '\n';
        out.append(column, ' ');
      }
      append_wrapped(out, row.right, column, column);
    }
  };
  append_section("arguments", true);
  append_section("options", false);
  return out;
}

}  // namespace support
