#pragma once
// `m1_sq_cq trace FILE`: a recorded trace as lines of text.

#include <expected>
#include <string>

namespace m1 {

// Prints every record on stdout. An error is one sentence; what could be read is printed before.
[[nodiscard]] std::expected<void, std::string> print_trace(const std::string& path);

}  // namespace m1
