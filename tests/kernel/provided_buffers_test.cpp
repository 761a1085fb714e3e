// Provided buffers, by the shared ring (5.19) and by PROVIDE_BUFFERS requests (5.7): the kernel picks
// one, the completion names it, and without one the request ends with ENOBUFS.

#include "common/uring/provided_buffers.hpp"

#include <string_view>

#include "tests/kernel/kernel_test.hpp"
#include "tests/kernel/test_files.hpp"

namespace {

constexpr std::uint16_t kGroup = 7;

class ProvidedBuffers : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) {
      NEEDS_FEATURE(BufferRing);
    }
  }

  static uring::Features features_of_this_form() {
    uring::FeatureMask mask;
    mask.set(static_cast<std::size_t>(uring::Feature::BufferRing), !GetParam());
    const auto features = uring::Features::detect(mask);
    CHECK(features.has_value());
    return *features;
  }

  uring::ProvidedBuffers make_buffers(std::uint32_t count) {
    auto buffers = uring::ProvidedBuffers::create(
        ring_, features_, {.group = kGroup, .count = count, .buffer_size = 64});
    CHECK(buffers.has_value());
    CHECK(buffers->uses_buffer_ring() == GetParam());
    return std::move(*buffers);
  }

  void send(std::string_view text) { kernel_test::write_text(sockets_.far.get(), text); }

  uring::io_uring_cqe recv() {
    return kernel_test::run_one(ring_, [&](uring::io_uring_sqe& sqe) {
      uring::prep_recv_select(sqe, sockets_.near.get(), kGroup, 0);
      sqe.user_data = 1;
    });
  }

  uring::Features features_ = features_of_this_form();
  uring::Ring ring_ = *uring::Ring::create({.sq_entries = 16}, features_);
  kernel_test::SocketPair sockets_;
};

TEST_P(ProvidedBuffers, TheCompletionNamesTheBuffer) {
  auto buffers = make_buffers(4);
  send("hello");
  const auto cqe = recv();
  ASSERT_EQ(cqe.res, 5);
  ASSERT_NE(cqe.flags & uring::IORING_CQE_F_BUFFER, 0U);
  EXPECT_EQ(buffers.with_kernel(), 4U) << "as far as we know until we have taken it";
  EXPECT_EQ(kernel_test::as_text(buffers.take(cqe)), "hello");
  EXPECT_EQ(buffers.with_kernel(), 3U);
}

TEST_P(ProvidedBuffers, RunOutWithEnobufsAndRecover) {
  auto buffers = make_buffers(2);
  send("abcd");
  std::vector<std::uint16_t> taken;
  for (int i = 0; i < 2; ++i) {
    send(std::string(64, 'x'));  // more than a buffer holds: each recv fills one
    const auto cqe = recv();
    ASSERT_EQ(cqe.res, 64);
    (void)buffers.take(cqe);
    taken.push_back(uring::ProvidedBuffers::buffer_id(cqe));
  }
  EXPECT_NE(taken[0], taken[1]);

  const auto starved = recv();
  EXPECT_EQ(starved.res, -ENOBUFS);
  EXPECT_EQ(starved.flags & uring::IORING_CQE_F_BUFFER, 0U) << "an error brings no buffer";

  buffers.give_back(taken[1]);
  EXPECT_EQ(buffers.with_kernel(), 0U) << "queued, not handed over";
  ASSERT_TRUE(buffers.publish().has_value());
  EXPECT_EQ(buffers.with_kernel(), 1U);
  const auto cqe = recv();
  ASSERT_EQ(cqe.res, 4);
  EXPECT_EQ(uring::ProvidedBuffers::buffer_id(cqe), taken[1]) << "the one that was given back";
  EXPECT_EQ(kernel_test::as_text(buffers.take(cqe)), "xxxx")
      << "the data was waiting in the socket";
}

TEST_P(ProvidedBuffers, EofBringsNoBuffer) {
  NEEDS_LINUX(6, 1, "an EOF takes a buffer with it and says so with F_BUFFER");
  auto buffers = make_buffers(2);
  sockets_.far.reset();
  const auto cqe = recv();
  EXPECT_EQ(cqe.res, 0);
  EXPECT_EQ(cqe.flags & uring::IORING_CQE_F_BUFFER, 0U);
  EXPECT_EQ(buffers.with_kernel(), 2U);
}

TEST_P(ProvidedBuffers, EofOnAnEmptyGroupIsReportedAsEnobufs) {
  auto buffers = make_buffers(1);
  send("x");
  const auto first = recv();
  (void)buffers.take(first);
  sockets_.far.reset();
  EXPECT_EQ(recv().res, -ENOBUFS) << "the buffer is picked before the socket is looked at";
  buffers.give_back(uring::ProvidedBuffers::buffer_id(first));
  ASSERT_TRUE(buffers.publish().has_value());
  EXPECT_EQ(recv().res, 0);
}

TEST_P(ProvidedBuffers, GoRoundManyTimes) {
  auto buffers = make_buffers(4);
  for (int i = 0; i < 1000; ++i) {
    const std::string text = "message " + std::to_string(i);
    send(text);
    const auto cqe = recv();
    ASSERT_EQ(cqe.res, static_cast<std::int32_t>(text.size()));
    ASSERT_EQ(kernel_test::as_text(buffers.take(cqe)), text);
    buffers.give_back(uring::ProvidedBuffers::buffer_id(cqe));
    if (buffers.with_kernel() == 0) {
      ASSERT_TRUE(buffers.publish().has_value());
    }
  }
  EXPECT_EQ(ring_.internal_failures(), 0U);
}

TEST_P(ProvidedBuffers, TheGroupIsFreeAgainAfterwards) {
  { const auto first = make_buffers(4); }
  auto second = make_buffers(4);
  send("again");
  const auto cqe = recv();
  ASSERT_EQ(cqe.res, 5);
  EXPECT_EQ(kernel_test::as_text(second.take(cqe)), "again");
}

TEST_P(ProvidedBuffers, GivingBackWhatIsNotOursIsCaught) {
  auto buffers = make_buffers(4);
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // io-wq may have started threads in this process
  EXPECT_DEATH(buffers.give_back(0), "given back once, by its owner");
}

INSTANTIATE_TEST_SUITE_P(Forms, ProvidedBuffers, testing::Values(true, false),
                         [](const auto& form) { return form.param ? "BufferRing" : "Requests"; });

}  // namespace
