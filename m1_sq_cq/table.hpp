#pragma once
// A table in plain text: columns as wide as what is in them, under a header.

#include <cstddef>
#include <initializer_list>
#include <string>
#include <vector>

namespace m1 {

class Table {
 public:
  enum class Align { Left, Right };

  struct Column {
    std::string header;
    Align align = Align::Left;
    std::size_t wrap_at = 0;  // columns after which a cell goes on in a line below; 0: never
  };

  Table(std::initializer_list<Column> columns) : columns_(columns) {}

  // A cell per column.
  void row(std::vector<std::string> cells);
  void print() const;

 private:
  using Row = std::vector<std::string>;
  void print_row(const Row& row, const std::vector<std::size_t>& widths) const;

  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

}  // namespace m1
