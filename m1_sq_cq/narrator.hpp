#pragma once
// How a lesson speaks, and how it keeps itself honest.
//
//   Narrator out("nop");                                    prints the title
//   out.section("The request is published");
//   out.say("The SQ has %u slots.", ring.sq().entries());
//   out.claim(cqe.res == 0, "the NOP succeeded: res is %d", cqe.res);
//   return out.status();
//
// What must hold: a number that is printed was read or counted, and a sentence about what the kernel
// did is a claim that was checked. One false claim makes the whole lesson fail.

#include <string>
#include <string_view>

#include "common/base/errno.hpp"
#include "common/uring/features.hpp"
#include "m1_sq_cq/lesson.hpp"

namespace m1 {

class Narrator {
 public:
  // `lesson` is its name in the table.
  explicit Narrator(std::string_view lesson);

  [[gnu::format(printf, 2, 3)]] void section(const char* format, ...);
  // A paragraph, broken into lines.
  [[gnu::format(printf, 2, 3)]] void say(const char* format, ...);
  // A line of its own, as it is: for drawings.
  [[gnu::format(printf, 2, 3)]] void line(const char* format, ...);
  // An empty line.
  void gap();

  // States what must hold at this point and whether it did: "  [ok] ..." or "  [WRONG] ...", and
  // then on stderr as well. Returns `holds`.
  [[gnu::format(printf, 3, 4)]] bool claim(bool holds, const char* format, ...);
  // Something that is not shown because this kernel lacks it.
  void skip(uring::Feature needed, std::string_view what);

  // "m1_sq_cq nop: cannot set up a ring: ENOMEM (Cannot allocate memory)" on stderr; Failed.
  [[nodiscard]] Status cannot(std::string_view what, base::Errno error);

  // Ok as long as every claim held.
  [[nodiscard]] Status status() const { return status_; }

 private:
  std::string lesson_;
  Status status_ = Status::Ok;
};

}  // namespace m1
