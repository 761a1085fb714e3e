#pragma once
// How large messages are: one size, or several with weights.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoints/load_client/random.hpp"

namespace load_client {

class SizeMix {
 public:
  static constexpr std::int64_t kLargest = std::int64_t{1} << 30;

  explicit SizeMix(std::uint64_t size) : rows_{{.size = size, .weights_up_to_here = 1}} {}

  // "64:90,4K:9,1M:1". The error is the end of a sentence about the option.
  [[nodiscard]] static std::expected<SizeMix, std::string> parse(std::string_view text);

  [[nodiscard]] std::uint64_t draw(Random& random) const {
    if (rows_.size() == 1) [[likely]] {
      return rows_.front().size;
    }
    const std::uint64_t drawn = random.next() % rows_.back().weights_up_to_here;
    std::size_t row = 0;
    while (rows_[row].weights_up_to_here <= drawn) {
      ++row;
    }
    return rows_[row].size;
  }

  [[nodiscard]] std::uint64_t largest() const;

 private:
  struct Row {
    std::uint64_t size;
    std::uint64_t weights_up_to_here;  // this row's and those before it
  };

  SizeMix() = default;

  std::vector<Row> rows_;
};

}  // namespace load_client
