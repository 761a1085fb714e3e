#include "m1_sq_cq/error_bench.hpp"

#include <algorithm>

#include "m1_sq_cq/completions.hpp"
#include "m1_sq_cq/text.hpp"

namespace m1 {

ErrorBench::ErrorBench(Narrator& out, uring::Ring& ring)
    : out_(out),
      ring_(ring),
      table_{{.header = "what was done", .wrap_at = 34},
             {"res", Table::Align::Right},
             {"errno"},
             {.header = "meaning", .wrap_at = 22},
             {"policy"},
             {.header = "what came of it", .wrap_at = 24}} {}

void ErrorBench::run(const Provocation& provocation) {
  handle(provocation, result_of(provocation));
}

std::int32_t ErrorBench::result_of(const Provocation& provocation) {
  uring::io_uring_sqe* sqe = ring_.next_sqe();
  CHECK(sqe != nullptr, "one request at a time always fits");
  provocation.prepare(*sqe);
  const auto cqes = collect(ring_, 1);
  return cqes ? cqes->front().res : -cqes.error().value;
}

void ErrorBench::handle(const Provocation& provocation, std::int32_t res) {
  ++provoked_;
  const base::Errno error{-res};
  if (res >= 0 ||
      std::ranges::find(provocation.expected, error.value) == provocation.expected.end()) {
    ++unexpected_;
    out_.claim(false, "%s: res is %d (%s), expected was %s", provocation.done.c_str(), res,
               res < 0 ? error.name() : "a success",
               base::Errno{provocation.expected.front()}.name());
    return;
  }
  const loop::Action action = kErrorsPolicy.decide(provocation.kind, res);
  const std::string outcome = act(action, provocation);
  table_.row({provocation.done, std::to_string(res), error.name(), error.message(),
              loop::to_string(action), outcome});
}

std::string ErrorBench::act(loop::Action action, const Provocation& provocation) {
  switch (action) {
    case loop::Action::Retry:
    case loop::Action::AwaitBuffers:
      return try_again(provocation);
    case loop::Action::Close:
      if (provocation.file != nullptr) {
        provocation.file->reset();
        return "the file is closed";
      }
      return "no file to close";
    case loop::Action::Ignore:
      return "goes on";
    case loop::Action::Fatal:
      return "reported as a bug";
    case loop::Action::Rearm:
    case loop::Action::AwaitDescriptors:
    case loop::Action::AwaitReadiness:
      break;
  }
  CHECK(false, "no request here is a multishot, runs out of descriptors or finds a socket full");
  return "";
}

std::string ErrorBench::try_again(const Provocation& provocation) {
  CHECK(provocation.mend != nullptr, "trying again changes nothing while the cause is there");
  provocation.mend();
  const std::int32_t res = result_of(provocation);
  if (res < 0) {
    ++unexpected_;
    out_.claim(false, "%s, tried again: res is %d (%s), expected was a success",
               provocation.done.c_str(), res, base::Errno{-res}.name());
  }
  return text("tried again: res %d", res);
}

void ErrorBench::finish() {
  table_.print();
  out_.claim(unexpected_ == 0, "%d requests failed as provoked, and each was handled by its row",
             provoked_ - unexpected_);
}

}  // namespace m1
