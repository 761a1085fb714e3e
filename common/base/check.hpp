#pragma once
// CHECK states what must hold, in every build. It guards invariants of our own code, never input:
// a reader who sees one may rely on it, and a program that broke one must not go on.

namespace base {

[[noreturn]] void check_failed(const char* file, int line, const char* condition, const char* why);

}  // namespace base

// CHECK(condition) or CHECK(condition, "why it must hold")
#define CHECK(condition, ...)                                               \
  do {                                                                      \
    if (!(condition)) [[unlikely]] {                                        \
      ::base::check_failed(__FILE__, __LINE__, #condition, "" __VA_ARGS__); \
    }                                                                       \
  } while (false)
