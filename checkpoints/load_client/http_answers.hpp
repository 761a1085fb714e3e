#pragma once
// The paths that are asked for in turn: the requests, made once for each target, and what the
// answers must be.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoints/load_client/byte_source.hpp"

namespace load_client {

struct Answer {
  std::string path;
  // Of the body. Nothing: not known before the first answer.
  std::optional<std::uint64_t> content_length;
  // What has come at each position first: everything that comes later must be the same. From the
  // file if there is one. May be shorter than content_length while the first answers are on their
  // way.
  std::vector<std::byte> body;

  // The latest head that was read and what it said. A server's heads for one path differ once a
  // second (Date), so nearly all of them are judged by one comparison.
  std::string head;
  bool head_closes = false;
};

// "/a,/b" -> "/a", "/b".
[[nodiscard]] std::vector<std::string> split_paths(std::string_view text);

// The requests for all paths one after the other, again and again.
struct RequestStream {
  ByteSource bytes;
  std::vector<std::uint64_t> sizes;  // of each path's request
};

// `host` is for the Host field.
[[nodiscard]] RequestStream make_requests(std::span<const std::string> paths,
                                          const std::string& host, bool head_only);

}  // namespace load_client
