// The table of lessons, in reading order.

#include <algorithm>
#include <array>

#include "m1_sq_cq/lesson.hpp"

namespace m1 {

namespace {

constexpr auto kLessons = std::to_array<Lesson>({
    {"setup", "", "what lies where in the memory that we share with the kernel", lesson_setup,
     lesson_setup},
    {"nop", "", "one request all the way round, index by index", lesson_nop, lesson_nop},
    {"copy", "[SRC DST]", "copy a file through the ring", lesson_copy, lesson_copy},
    {"batching", "", "16 requests, one system call, each completion matched", lesson_batching,
     lesson_batching},
    {"wrap-around", "", "indices run freely, through the masks and through 2^32",
     lesson_wrap_around, lesson_wrap_around},
    {"overflow", "", "more completions than the CQ can hold, and none is lost", lesson_overflow,
     lesson_overflow},
    {"errors", "", "each error provoked for real, and handled as a table says", lesson_errors,
     lesson_errors},
    {"fixed-buffers", "", "memory that the kernel pins once: READ_FIXED and WRITE_FIXED",
     lesson_fixed_buffers, lesson_fixed_buffers},
    {"provided-buffers", "", "memory that the kernel chooses: groups, buffer ids, ENOBUFS",
     lesson_provided_buffers, lesson_provided_buffers},
    {"peek", "", "look into both rings without consuming anything", lesson_peek, lesson_peek},
    {"cleanup", "", "what a ring holds, and how all of it goes away", lesson_cleanup,
     lesson_cleanup},
    {"costs", "[OPTIONS]", "what a system call, a request and a batch cost on this machine",
     lesson_costs, tour_costs},
    {"features", "", "what this kernel can do, since when, and how we know", lesson_features,
     tour_features},
});

}  // namespace

std::span<const Lesson> lessons() {
  return kLessons;
}

const Lesson* find_lesson(std::string_view name) {
  const auto* found = std::ranges::find(kLessons, name, &Lesson::name);
  return found != kLessons.end() ? found : nullptr;
}

}  // namespace m1
