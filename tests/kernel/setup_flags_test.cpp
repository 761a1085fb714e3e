// Which setup flags go together. Raw setup calls: Features would filter what the kernel lacks.

#include "common/base/unique_fd.hpp"
#include "common/uring/syscalls.hpp"
#include "tests/kernel/kernel_test.hpp"

namespace {

int setup_result(std::uint32_t flags) {
  uring::io_uring_params params{};
  params.flags = flags;
  const auto fd = uring::sys::io_uring_setup(4, params);
  if (!fd) {
    return -fd.error().value;
  }
  const base::UniqueFd owned(*fd);
  return 0;
}

TEST(SetupFlags, DeferTaskrunNeedsSingleIssuer) {
  NEEDS_FEATURE(DeferTaskrun);
  EXPECT_EQ(setup_result(uring::IORING_SETUP_DEFER_TASKRUN), -EINVAL);
  EXPECT_EQ(setup_result(uring::IORING_SETUP_DEFER_TASKRUN | uring::IORING_SETUP_SINGLE_ISSUER), 0);
}

TEST(SetupFlags, TaskrunFlagNeedsCoopOrDefer) {
  NEEDS_FEATURE(TaskrunFlag);
  EXPECT_EQ(setup_result(uring::IORING_SETUP_TASKRUN_FLAG), -EINVAL);
  EXPECT_EQ(setup_result(uring::IORING_SETUP_TASKRUN_FLAG | uring::IORING_SETUP_COOP_TASKRUN), 0);
}

TEST(SetupFlags, SqpollGoesWithNoTaskrunFlag) {
  NEEDS_FEATURE(DeferTaskrun);
  NEEDS_FEATURE(Sqpoll);
  const std::uint32_t sqpoll = uring::IORING_SETUP_SQPOLL;
  EXPECT_EQ(setup_result(sqpoll), 0);
  EXPECT_EQ(setup_result(sqpoll | uring::IORING_SETUP_COOP_TASKRUN), -EINVAL);
  EXPECT_EQ(
      setup_result(sqpoll | uring::IORING_SETUP_SINGLE_ISSUER | uring::IORING_SETUP_DEFER_TASKRUN),
      -EINVAL);
}

TEST(SetupFlags, AllowedFlagsAreAlwaysAccepted) {
  const std::uint32_t wanted = uring::IORING_SETUP_SUBMIT_ALL | uring::IORING_SETUP_COOP_TASKRUN |
                               uring::IORING_SETUP_TASKRUN_FLAG |
                               uring::IORING_SETUP_SINGLE_ISSUER |
                               uring::IORING_SETUP_DEFER_TASKRUN;
  // Whatever is masked, what remains is a combination that the kernel takes.
  for (std::size_t masked = 0; masked < uring::kFeatureCount; ++masked) {
    uring::FeatureMask mask;
    mask.set(masked);
    const auto features = uring::Features::detect(mask);
    ASSERT_TRUE(features.has_value());
    EXPECT_EQ(setup_result(features->allowed_setup_flags(wanted)), 0)
        << "without " << uring::feature_table()[masked].name;
  }
}

}  // namespace
