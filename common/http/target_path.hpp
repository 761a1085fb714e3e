#pragma once
// From the path of a request to a name below the server's root.
//
// The path is split at "/" while it is still encoded, then each segment is decoded, once. So:
// - "%2e%2e" is "..": an encoded dot is a dot (RFC 3986, section 6.2.2.2), and "." and ".." are
//   resolved here, on the text (section 5.2.4). One that would leave the root is refused with 400,
//   as nothing but an attack asks for it.
// - "%2f" is a slash inside a name, not a separator. No file has such a name: 404.
// - "%252e" is the name "%2e": what was decoded is not decoded again.
// - A NUL would end the name early on its way into the kernel: 400, like a "%" without two
//   hexadecimal digits behind it.
// - Empty segments vanish, as they do in every path that the kernel reads: "//a///b" is "a/b".
// - A backslash is an ordinary byte: on Linux it separates nothing. So are all bytes from 0x80 on.
//
// Names are only names: what they lead to (a symbolic link to the outside, a device) is for openat2
// and fstat to find out.

#include <cstddef>
#include <expected>
#include <span>
#include <string_view>

#include "common/http/status.hpp"

namespace http {

struct TargetPath {
  // For openat2 on the root: never empty, never begins with "/", no "." or ".." in it except that
  // "." alone is the root. A NUL follows it, so data() is a C string.
  std::string_view name;
  // The path said that it means a folder: "/a/", "/a/.", "/a/b/..", "/".
  bool ends_with_slash = false;
};

// `path` is Request::path. The result lies in `buffer`; path.size() + 2 bytes always suffice, and
// less than it takes is 414.
[[nodiscard]] std::expected<TargetPath, Status> decode_target_path(std::string_view path,
                                                                   std::span<char> buffer);

// What index_path() needs beside the folder's name: a slash, "index.html", a NUL.
constexpr std::size_t kIndexBytes = 12;

// The page that stands for a folder: "index.html" in the folder that has this TargetPath::name. The
// result lies in `buffer`, which must have room for folder.size() + kIndexBytes, and a NUL follows it.
[[nodiscard]] std::string_view index_path(std::string_view folder, std::span<char> buffer);

// Where a folder lies that was asked for without its slash: "/" name "/" query, percent-encoded
// anew. It is made from the name and not from the path as sent: "//host" or "/\host/../folder" sent
// back as a Location would lead a browser to another host. The result lies in `buffer`; empty if it
// does not fit. max_target_bytes + 2 suffice, unless the client left bytes unencoded that must be
// encoded.
[[nodiscard]] std::string_view folder_location(std::string_view name, std::string_view query,
                                               std::span<char> buffer);

}  // namespace http
