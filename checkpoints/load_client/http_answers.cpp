#include "checkpoints/load_client/http_answers.hpp"

namespace load_client {

std::vector<std::string> split_paths(std::string_view text) {
  std::vector<std::string> paths;
  while (true) {
    const std::string_view path = text.substr(0, text.find(','));
    paths.emplace_back(path);
    if (path.size() == text.size()) {
      return paths;
    }
    text.remove_prefix(path.size() + 1);
  }
}

RequestStream make_requests(std::span<const std::string> paths, const std::string& host,
                            bool head_only) {
  constexpr std::size_t kLongestPiece = 64 << 10;
  const std::string method = head_only ? "HEAD " : "GET ";
  std::string all;
  std::vector<std::uint64_t> sizes;
  for (const std::string& path : paths) {
    const std::string request = method + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
    sizes.push_back(request.size());
    all += request;
  }
  return {.bytes = ByteSource(std::as_bytes(std::span(all)), kLongestPiece),
          .sizes = std::move(sizes)};
}

}  // namespace load_client
