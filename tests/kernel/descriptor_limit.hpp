#pragma once
// How many descriptors the process may have, changed for a while.

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/base/check.hpp"

namespace kernel_test {

// Leaves room for `more` descriptors than are open now, for as long as it lives.
class DescriptorLimit {
 public:
  explicit DescriptorLimit(int more) {
    CHECK(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    // What is open need not be without gaps: the limit is the number behind the last one that `more`
    // more would get.
    int beyond = 0;
    for (int free = 0; free <= more; ++beyond) {
      free += ::fcntl(beyond, F_GETFD) < 0 ? 1 : 0;
    }
    rlimit lowered = before_;
    lowered.rlim_cur = static_cast<rlim_t>(beyond - 1);
    CHECK(::setrlimit(RLIMIT_NOFILE, &lowered) == 0);
  }
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;
  ~DescriptorLimit() { CHECK(::setrlimit(RLIMIT_NOFILE, &before_) == 0); }

 private:
  rlimit before_{};
};

}  // namespace kernel_test
