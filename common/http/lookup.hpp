#pragma once
// What looking for the file of a request has led to, and the status that says so to the client. No
// I/O: the server opens and asks fstat in its own way.

#include <sys/types.h>

#include <cstdint>

#include "common/base/errno.hpp"
#include "common/http/status.hpp"

namespace http {

enum class Lookup : std::uint8_t {
  File,
  Folder,
  Missing,    // or something that is not served: a device, a way out of the root
  Forbidden,  // it exists, and we may not read it
  Busy,       // no descriptor or no memory left: another time
  Failed,     // an error of the disk, say
};

// From the error with which opening it below the root (openat2) has ended.
[[nodiscard]] Lookup lookup_of(base::Errno error);
// From the st_mode of what was opened: File, Folder or Missing.
[[nodiscard]] Lookup lookup_of(mode_t mode);

// Of those that are no file: 404, 403, 503 or 500. (A folder that has no better answer is missing.)
[[nodiscard]] Status status_of(Lookup lookup);

}  // namespace http
