// What this kernel can do, since when, and how we know: the table of common/uring/features.
//
// What must hold: a version number proves nothing (distributions backport, containers mask), so each
// row says what it was decided by, and a feature that URING_DISABLE names is absent whatever the
// kernel has.

#include <sys/utsname.h>

#include <cstdlib>
#include <string>

#include "m1_sq_cq/narrator.hpp"
#include "m1_sq_cq/table.hpp"

namespace m1 {

namespace {

struct Count {
  int present = 0;
  int absent = 0;
  int masked = 0;
};

Count count_features(const uring::Features& features) {
  Count count;
  for (const uring::FeatureInfo& row : uring::feature_table()) {
    if (features.has(row.feature)) {
      ++count.present;
    } else if (features.evidence(row.feature) == uring::Evidence::Masked) {
      ++count.masked;
    } else {
      ++count.absent;
    }
  }
  return count;
}

void say_where_we_are(Narrator& out) {
  utsname kernel{};
  if (::uname(&kernel) == 0) {
    out.say("Kernel %s, %s.", kernel.release, kernel.machine);
  }
  const char* disabled = std::getenv("URING_DISABLE");
  if (disabled != nullptr && disabled[0] != '\0') {
    out.say("URING_DISABLE=%s: these count as absent and are never tried.", disabled);
  }
}

void say_count(Narrator& out, const uring::Features& features) {
  const Count count = count_features(features);
  out.say("%d of %zu features are here, %d are not, %d are masked.", count.present,
          uring::kFeatureCount, count.absent, count.masked);
}

}  // namespace

Status lesson_features(const LessonContext& context) {
  Narrator out("features");
  say_where_we_are(out);

  out.section("How we know, best evidence first");
  out.line("query         the kernel states it: IORING_REGISTER_QUERY");
  out.line("feature word  a bit of params.features, written by io_uring_setup");
  out.line("probe         the opcode is in the answer of IORING_REGISTER_PROBE");
  out.line("trial         done once on a throw-away ring");
  out.line("masked        URING_DISABLE names it");

  out.section("The features");
  Table table{{"name"},
              {"since"},
              {"here"},
              {"known by"},
              {.header = "what it is", .wrap_at = 38},
              {.header = "without it", .wrap_at = 31}};
  for (const uring::FeatureInfo& row : uring::feature_table()) {
    table.row({row.name, row.since, context.features.has(row.feature) ? "yes" : "no",
               uring::to_string(context.features.evidence(row.feature)), row.meaning,
               row.fallback});
  }
  table.print();

  out.gap();
  say_count(out, context.features);
  return out.status();
}

Status tour_features(const LessonContext& context) {
  Narrator out("features");
  say_where_we_are(out);
  say_count(out, context.features);
  Table table{{"not here"}, {"since"}, {"known by"}, {"without it"}};
  bool all_here = true;
  for (const uring::FeatureInfo& row : uring::feature_table()) {
    if (!context.features.has(row.feature)) {
      all_here = false;
      table.row({row.name, row.since, uring::to_string(context.features.evidence(row.feature)),
                 row.fallback});
    }
  }
  if (!all_here) {
    out.gap();
    table.print();
    out.gap();
  }
  out.say("`m1_sq_cq features` prints them all.");
  return out.status();
}

}  // namespace m1
