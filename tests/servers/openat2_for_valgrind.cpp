// Preloaded into the file server when it runs under valgrind 3.19, which does not know openat2 (system
// call 437) and answers ENOSYS: does the same by openat. Without the protection of openat2's resolve
// flags, so for tests of memory only.

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

#include <cstdarg>
#include <cstdint>

extern "C" long syscall(long number, ...) {
  using SystemCall = long (*)(long, ...);
  static const auto real = reinterpret_cast<SystemCall>(dlsym(RTLD_NEXT, "syscall"));
  std::va_list list;
  va_start(list, number);
  std::uint64_t arguments[6];  // no more than the kernel takes; those not given are not looked at
  for (std::uint64_t& argument : arguments) {
    argument = va_arg(list, std::uint64_t);
  }
  va_end(list);
  if (number == SYS_openat2) {
    const auto* path = reinterpret_cast<const char*>(arguments[1]);
    const auto* how = reinterpret_cast<const open_how*>(arguments[2]);
    return openat(static_cast<int>(arguments[0]), path, static_cast<int>(how->flags),
                  static_cast<mode_t>(how->mode));
  }
  return real(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
              arguments[5]);
}
