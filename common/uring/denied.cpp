#include "common/uring/denied.hpp"

#include <cerrno>
#include <fstream>
#include <string_view>

namespace uring {

SetupSurroundings read_setup_surroundings() {
  SetupSurroundings found;
  int value = 0;
  if (std::ifstream("/proc/sys/kernel/io_uring_disabled") >> value) {
    found.io_uring_disabled = value;
  }
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("Seccomp:") && line.ends_with('2')) {
      found.seccomp_filter = true;
    }
  }
  return found;
}

std::string explain_setup_failure(base::Errno error, const SetupSurroundings& surroundings) {
  const std::string what = "io_uring_setup failed with " + std::string(error.name()) + ": ";
  const int disabled = surroundings.io_uring_disabled.value_or(0);
  const std::string_view seccomp =
      "a seccomp filter of this container denies it: allow io_uring_setup, io_uring_enter and "
      "io_uring_register in the container's seccomp profile.";

  switch (error.value) {
    case EPERM:
    case EACCES:
      if (disabled == 2) {
        return what +
               "the sysctl kernel.io_uring_disabled is 2, which denies io_uring to everybody: "
               "set it to 0 with `sysctl kernel.io_uring_disabled=0` as root.";
      }
      if (disabled == 1) {
        return what +
               "the sysctl kernel.io_uring_disabled is 1, which allows io_uring only with "
               "CAP_SYS_ADMIN or in the group kernel.io_uring_group: join that group, or set the "
               "sysctl to 0 as root.";
      }
      return what + (surroundings.seccomp_filter
                         ? std::string(seccomp)
                         : "a security module denies it; look for a denial in the kernel's log.");
    case ENOSYS:
      return what + (surroundings.seccomp_filter
                         ? std::string(seccomp)
                         : "this kernel has no io_uring: Linux 5.10 or newer, built with "
                           "CONFIG_IO_URING, is needed.");
    case ENOMEM:
      return what +
             "the limit on locked memory or the machine's memory is used up: raise it with "
             "`ulimit -l`, or close other rings.";
    case EMFILE:
    case ENFILE:
      return what + "no file descriptor is left: raise the limit with `ulimit -n`.";
    default:
      return what + error.message() + ".";
  }
}

std::string explain_setup_failure(base::Errno error) {
  return explain_setup_failure(error, read_setup_surroundings());
}

}  // namespace uring
