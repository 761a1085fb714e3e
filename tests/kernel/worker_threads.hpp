#pragma once
// The kernel's worker threads (io-wq). They are threads of the process that are named
// iou-wrk-NUMBER, and belong to the thread that submits: one that has just begun has none.

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <thread>

#include "tests/kernel/kernel_test.hpp"

namespace kernel_test {

inline std::set<std::string> worker_threads() {
  std::set<std::string> found;
  std::error_code gone;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", gone)) {
    std::string name;
    std::ifstream(task.path() / "comm") >> name;
    if (name.starts_with("iou-wrk-")) {
      found.insert(task.path().filename());
    }
  }
  return found;
}

// Runs `body(ring)` with a ring of a thread of its own; says whether a worker has come into being
// before it returned.
template <class Body>
bool makes_a_worker(Body body) {
  bool made = false;
  std::thread([&] {
    uring::Ring ring = make_ring();
    const auto before = worker_threads();
    body(ring);
    for (const std::string& thread : worker_threads()) {
      made = made || !before.contains(thread);
    }
  }).join();
  return made;
}

// Whether workers can be seen at all: the kernel gives a request with IOSQE_ASYNC to one.
inline bool workers_are_threads_of_the_process() {
  return makes_a_worker([](uring::Ring& ring) {
    (void)run_one(ring, [](uring::io_uring_sqe& sqe) {
      uring::prep_nop(sqe);
      sqe.flags |= uring::IOSQE_ASYNC;
    });
  });
}

}  // namespace kernel_test
