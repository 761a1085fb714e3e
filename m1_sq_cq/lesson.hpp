#pragma once
// What a lesson is: one file in this folder with one function, and a row in the table of lessons.cpp.
//
// A lesson is a real small program. It narrates what it does on stdout, in lines that a reader
// follows beside the source, and it checks what it claims: if the kernel does something else, the
// lesson says so and fails.

#include <span>
#include <string_view>

#include "common/support/trace.hpp"
#include "common/uring/features.hpp"

namespace m1 {

// Exit statuses, as in every program of this project.
enum class Status : int {
  Ok = 0,
  Failed = 1,       // it was tried and went wrong, or the kernel did not behave as claimed
  CannotStart = 2,  // bad arguments, or this kernel lacks what the lesson needs
};

struct LessonContext {
  const uring::Features& features;
  support::Trace* trace;              // null without --trace; goes into RingOptions::trace
  std::span<const char* const> args;  // what follows the lesson's name
};

using LessonFunction = Status (*)(const LessonContext& context);

struct Lesson {
  std::string_view name;
  std::string_view arguments;  // for --help: "SRC DST"; empty: it takes none
  std::string_view summary;    // one line, also the lesson's title
  LessonFunction run;
  LessonFunction run_in_tour;  // without arguments, when no lesson is named; null: not in the tour
};

// The table, in reading order.
[[nodiscard]] std::span<const Lesson> lessons();
// Null: there is no such lesson.
[[nodiscard]] const Lesson* find_lesson(std::string_view name);

Status lesson_setup(const LessonContext& context);
Status lesson_nop(const LessonContext& context);
Status lesson_copy(const LessonContext& context);
Status lesson_batching(const LessonContext& context);
Status lesson_wrap_around(const LessonContext& context);
Status lesson_overflow(const LessonContext& context);
Status lesson_errors(const LessonContext& context);
Status lesson_fixed_buffers(const LessonContext& context);
Status lesson_provided_buffers(const LessonContext& context);
Status lesson_peek(const LessonContext& context);
Status lesson_cleanup(const LessonContext& context);
Status lesson_costs(const LessonContext& context);
Status lesson_features(const LessonContext& context);

// What the tour shows of the costs, in a second, and of the features: those that are not here.
Status tour_costs(const LessonContext& context);
Status tour_features(const LessonContext& context);

}  // namespace m1
