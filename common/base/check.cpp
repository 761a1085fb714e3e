#include "common/base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace base {

void check_failed(const char* file, int line, const char* condition, const char* why) {
  std::fprintf(stderr, "%s:%d: CHECK(%s) failed%s%s\n", file, line, condition,
               *why != '\0' ? ": " : "", why);
  std::abort();
}

}  // namespace base
