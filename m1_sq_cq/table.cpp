#include "m1_sq_cq/table.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "common/base/check.hpp"
#include "m1_sq_cq/text.hpp"

namespace m1 {

void Table::row(std::vector<std::string> cells) {
  CHECK(cells.size() == columns_.size(), "a cell per column");
  rows_.push_back(std::move(cells));
}

void Table::print() const {
  std::vector<std::size_t> widths;
  Row headers;
  Row rules;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Column& column = columns_[i];
    std::size_t width = column.header.size();
    for (const Row& row : rows_) {
      const std::size_t limit = column.wrap_at != 0 ? column.wrap_at : row[i].size();
      width = std::max(width, std::min(row[i].size(), limit));
    }
    widths.push_back(width);
    headers.push_back(column.header);
    rules.push_back(std::string(width, '-'));
  }
  print_row(headers, widths);
  print_row(rules, widths);
  for (const Row& row : rows_) {
    print_row(row, widths);
  }
}

void Table::print_row(const Row& row, const std::vector<std::size_t>& widths) const {
  std::vector<std::vector<std::string>> cells;
  std::size_t height = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    cells.push_back(columns_[i].wrap_at != 0 ? wrap(row[i], widths[i])
                                             : std::vector<std::string>{row[i]});
    height = std::max(height, cells.back().size());
  }
  for (std::size_t line_number = 0; line_number < height; ++line_number) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string cell = line_number < cells[i].size() ? cells[i][line_number] : "";
      const std::string padding(widths[i] - std::min(widths[i], cell.size()), ' ');
      line += "  " + (columns_[i].align == Align::Right ? padding + cell : cell + padding);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    std::printf("%s\n", line.c_str());
  }
}

}  // namespace m1
