#include "common/server/operations.hpp"

#include <cstdio>

#include "common/base/check.hpp"
#include "common/base/errno.hpp"

namespace server {

void stop_on_fatal(const char* operation, std::int32_t res) {
  std::fprintf(stderr, "%s completed with %s\n", operation, base::Errno{-res}.name());
  CHECK(false, "an error that only a mistake of ours can cause");
  __builtin_unreachable();
}

}  // namespace server
