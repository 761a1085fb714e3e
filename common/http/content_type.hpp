#pragma once
// What a file is, told from the end of its name.

#include <string_view>

namespace http {

// For the Content-Type field; "application/octet-stream" where the suffix says nothing. Upper and
// lower case are the same. Of a path the last segment decides: "a.txt/b" has no suffix, and neither
// has ".html", which is a hidden file.
[[nodiscard]] std::string_view content_type(std::string_view path);

}  // namespace http
