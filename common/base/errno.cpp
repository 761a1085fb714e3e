#include "common/base/errno.hpp"

#include <string.h>

#include <cerrno>

namespace base {

const char* Errno::name() const {
  const char* found = ::strerrorname_np(value);
  return found != nullptr ? found : "E?";
}

const char* Errno::message() const {
  const char* found = ::strerrordesc_np(value);
  return found != nullptr ? found : "unknown error";
}

Errno last_error() {
  return Errno{errno};
}

}  // namespace base
