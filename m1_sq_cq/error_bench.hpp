#pragma once
// The errors lesson's workbench: runs a request that must fail, looks its error up in the policy,
// does what the policy says, and writes a row about it.

#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "common/base/unique_fd.hpp"
#include "common/uring/ring.hpp"
#include "m1_sq_cq/errors_policy.hpp"
#include "m1_sq_cq/narrator.hpp"
#include "m1_sq_cq/table.hpp"

namespace m1 {

struct Provocation {
  std::string done;  // what is done, for the reader
  ErrorKind kind;
  std::vector<int> expected;  // errors, any of which may come
  std::function<void(uring::io_uring_sqe&)> prepare;
  // For Retry and AwaitBuffers: takes the cause of the error away before the second try.
  std::function<void()> mend = {};
  // For Close: what to close.
  base::UniqueFd* file = nullptr;
};

class ErrorBench {
 public:
  ErrorBench(Narrator& out, uring::Ring& ring);

  // Submits the request, waits for its completion, and handles that.
  void run(const Provocation& provocation);
  // Handles a completion that came in another way.
  void handle(const Provocation& provocation, std::int32_t res);

  // The rows so far, and the claim that everything was as expected.
  void finish();

  [[nodiscard]] uring::Ring& ring() { return ring_; }
  [[nodiscard]] Narrator& out() { return out_; }

 private:
  // Does what the action says. Returns what came of it, in a few words.
  std::string act(loop::Action action, const Provocation& provocation);
  std::string try_again(const Provocation& provocation);
  // The result of one request; the errno of a failed enter, negative, likewise.
  std::int32_t result_of(const Provocation& provocation);

  Narrator& out_;
  uring::Ring& ring_;
  Table table_;
  int provoked_ = 0;
  int unexpected_ = 0;
};

}  // namespace m1
