// SPLICE looks its input up when a worker begins it, and not when it is submitted, as it does with its
// output and as every other request does: a descriptor that is closed meanwhile, or a place in the
// table that goes to another file, is missed.

#include <thread>

#include "common/uring/registered_files.hpp"
#include "tests/kernel/pipe_ends.hpp"
#include "tests/kernel/steps.hpp"
#include "tests/kernel/test_files.hpp"

namespace {

// A ring whose only worker waits in an empty pipe.
class OneBusyWorker {
 public:
  OneBusyWorker() {
    std::array<std::uint32_t, 2> most{1, 1};
    CHECK(ring_.register_op(uring::IORING_REGISTER_IOWQ_MAX_WORKERS, most.data(), 2).has_value());
    uring::prep_splice(kernel_test::next(ring_, kBusy), empty_.read_end.get(), uring::kNoOffset,
                       output_.write_end.get(), uring::kNoOffset, 1, 0);
    kernel_test::submit_all(ring_);
    CHECK(kernel_test::stays_quiet(ring_));
  }

  uring::Ring& ring() { return ring_; }
  int output() { return output_.write_end.get(); }

  // Lets the worker go on to the next request, and returns how that ended.
  std::int32_t res_of_next(std::uint64_t user_data) {
    kernel_test::write_text(empty_.write_end.get(), "x");
    return kernel_test::res_of(kernel_test::collect(ring_, 2), user_data);
  }
  // What has been spliced behind the byte that the worker waited for.
  char last_spliced() {
    std::array<char, 2> bytes{};
    CHECK(::read(output_.read_end.get(), bytes.data(), bytes.size()) == 2);
    return bytes[1];
  }

 private:
  static constexpr std::uint64_t kBusy = 100;

  kernel_test::PipeEnds empty_{0};
  kernel_test::PipeEnds output_{0};
  uring::Ring ring_ = kernel_test::make_ring();
};

// Workers belong to a thread: a test in a thread of its own begins without any.
template <class Body>
void in_new_thread(Body body) {
  std::thread(body).join();
}

TEST(SpliceInput, IsTheFileThatHasThePlaceWhenAWorkerBegins) {
  NEEDS_LINUX(5, 18, "SPLICE looks up both files when it is submitted");
  in_new_thread([] {
    OneBusyWorker worker;
    auto files = uring::RegisteredFiles::create_sparse(worker.ring(), 1);
    ASSERT_TRUE(files.has_value());
    ASSERT_TRUE(files->set(0, kernel_test::make_file("old").get()).has_value());
    uring::prep_splice(kernel_test::next(worker.ring(), 1), 0, 0, worker.output(), uring::kNoOffset,
                       1, uring::SPLICE_F_FD_IN_FIXED);
    kernel_test::submit_all(worker.ring());
    ASSERT_TRUE(files->set(0, kernel_test::make_file("new").get()).has_value());
    ASSERT_EQ(worker.res_of_next(1), 1);
    EXPECT_EQ(worker.last_spliced(), 'n');
  });
}

TEST(SpliceInput, IsMissedWhenItsDescriptorIsClosedBeforeAWorkerBegins) {
  NEEDS_LINUX(5, 18, "SPLICE looks up both files when it is submitted");
  in_new_thread([] {
    OneBusyWorker worker;
    base::UniqueFd file = kernel_test::make_file("old");
    uring::prep_splice(kernel_test::next(worker.ring(), 1), file.get(), 0, worker.output(),
                       uring::kNoOffset, 1, 0);
    kernel_test::submit_all(worker.ring());
    file.reset();
    EXPECT_EQ(worker.res_of_next(1), -EBADF);
  });
}

}  // namespace
