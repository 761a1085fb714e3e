#include "common/http/content_type.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "common/http/characters.hpp"

namespace http {
namespace {

struct Row {
  std::string_view suffix;
  std::string_view type;
};

constexpr auto kTable = std::to_array<Row>({
    {"avif", "image/avif"},
    {"bmp", "image/bmp"},
    {"css", "text/css; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8"},
    {"flac", "audio/flac"},
    {"gif", "image/gif"},
    {"gz", "application/gzip"},
    {"htm", "text/html; charset=utf-8"},
    {"html", "text/html; charset=utf-8"},
    {"ico", "image/vnd.microsoft.icon"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", "text/javascript; charset=utf-8"},
    {"json", "application/json"},
    {"md", "text/markdown; charset=utf-8"},
    {"mjs", "text/javascript; charset=utf-8"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"oga", "audio/ogg"},
    {"ogg", "audio/ogg"},
    {"ogv", "video/ogg"},
    {"otf", "font/otf"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"svg", "image/svg+xml"},
    {"tar", "application/x-tar"},
    {"ttf", "font/ttf"},
    {"txt", "text/plain; charset=utf-8"},
    {"wasm", "application/wasm"},
    {"wav", "audio/wav"},
    {"webm", "video/webm"},
    {"webp", "image/webp"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"xml", "text/xml; charset=utf-8"},
    {"zip", "application/zip"},
});
static_assert(std::ranges::is_sorted(kTable, {}, &Row::suffix), "it is searched by halves");

constexpr std::string_view kUnknown = "application/octet-stream";

bool is_before(std::string_view suffix, std::string_view text) {
  return std::ranges::lexicographical_compare(suffix, text, {}, {}, to_lower);
}

}  // namespace

std::string_view content_type(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) {
    return kUnknown;
  }
  const std::string_view suffix = name.substr(dot + 1);
  const auto* const row = std::ranges::lower_bound(kTable, suffix, is_before, &Row::suffix);
  return row != kTable.end() && equals_ignoring_case(suffix, row->suffix) ? row->type : kUnknown;
}

}  // namespace http
