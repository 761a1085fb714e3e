#include "common/http/lookup.hpp"

#include <sys/stat.h>

#include <cerrno>

namespace http {

Lookup lookup_of(base::Errno error) {
  switch (error.value) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP:  // too many symlinks, or one of /proc
    case EXDEV:  // out of the root
    case ENXIO:  // a socket, or a device without a driver
    case ENODEV:
      return Lookup::Missing;
    case EACCES:
    case EPERM:
      return Lookup::Forbidden;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:
    case EINTR:
    case ECANCELED:  // of an open through a ring
      return Lookup::Busy;
    default:
      return Lookup::Failed;
  }
}

Lookup lookup_of(mode_t mode) {
  if (S_ISREG(mode)) {
    return Lookup::File;
  }
  return S_ISDIR(mode) ? Lookup::Folder : Lookup::Missing;
}

Status status_of(Lookup lookup) {
  switch (lookup) {
    case Lookup::Forbidden:
      return Status::Forbidden;
    case Lookup::Busy:
      return Status::ServiceUnavailable;
    case Lookup::Failed:
      return Status::InternalServerError;
    default:
      return Status::NotFound;
  }
}

}  // namespace http
