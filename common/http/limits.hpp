#pragma once
// How much of a request we are willing to read. What is larger gets an answer and a closed
// connection.

#include <cstddef>
#include <cstdint>

namespace http {

struct Limits {
  std::size_t max_head_bytes = 8192;        // request line, header lines and the empty line: 431
  std::size_t max_target_bytes = 4096;      // 414; so is a request line that fills the head
  std::size_t max_headers = 100;            // header lines: 431
  std::uint64_t max_body_bytes = 1U << 20;  // of content, without what frames it: 413
};

}  // namespace http
