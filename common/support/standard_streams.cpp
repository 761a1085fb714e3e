#include "common/support/standard_streams.hpp"

#include <fcntl.h>

namespace support {

void occupy_standard_streams() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) == -1) {
      (void)::open("/dev/null", O_PATH);  // neither readable nor writable
    }
  }
}

}  // namespace support
