// One sentence for each way in which io_uring_setup is refused, and it names the knob.

#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/uring/denied.hpp"

namespace {

using uring::SetupSurroundings;

struct Case {
  const char* name;
  int error;
  SetupSurroundings around;
  std::vector<const char*> says;        // all of these
  std::vector<const char*> never_says;  // none of these
};

const SetupSurroundings kNothing{.io_uring_disabled = std::nullopt, .seccomp_filter = false};
const SetupSurroundings kAllowed{.io_uring_disabled = 0, .seccomp_filter = false};
const SetupSurroundings kGroupOnly{.io_uring_disabled = 1, .seccomp_filter = false};
const SetupSurroundings kNobody{.io_uring_disabled = 2, .seccomp_filter = false};
const SetupSurroundings kContainer{.io_uring_disabled = 0, .seccomp_filter = true};
const SetupSurroundings kOldContainer{.io_uring_disabled = std::nullopt, .seccomp_filter = true};
const SetupSurroundings kNobodyInContainer{.io_uring_disabled = 2, .seccomp_filter = true};

const std::vector<Case> kCases = {
    {"SysctlTwo",
     EPERM,
     kNobody,
     {"EPERM", "kernel.io_uring_disabled is 2", "sysctl kernel.io_uring_disabled=0"},
     {"seccomp"}},
    {"SysctlOne",
     EPERM,
     kGroupOnly,
     {"kernel.io_uring_disabled is 1", "kernel.io_uring_group", "CAP_SYS_ADMIN"},
     {"seccomp"}},
    {"SysctlTwoInAContainer",
     EPERM,
     kNobodyInContainer,
     {"kernel.io_uring_disabled is 2"},
     {"seccomp"}},
    {"SeccompSaysEperm",
     EPERM,
     kContainer,
     {"EPERM", "seccomp", "io_uring_setup", "io_uring_enter", "io_uring_register"},
     {"io_uring_disabled", "CONFIG_IO_URING"}},
    {"SeccompSaysEnosys", ENOSYS, kContainer, {"ENOSYS", "seccomp"}, {"CONFIG_IO_URING"}},
    {"SeccompBeforeTheSysctl", EPERM, kOldContainer, {"seccomp"}, {"io_uring_disabled"}},
    {"SecurityModule", EPERM, kAllowed, {"security module"}, {"seccomp", "io_uring_disabled"}},
    {"SecurityModuleSaysEacces", EACCES, kAllowed, {"EACCES", "security module"}, {"seccomp"}},
    {"KernelWithoutIoUring", ENOSYS, kNothing, {"5.10", "CONFIG_IO_URING"}, {"seccomp"}},
    {"LockedMemory", ENOMEM, kAllowed, {"ENOMEM", "ulimit -l"}, {"seccomp"}},
    {"Descriptors", EMFILE, kAllowed, {"EMFILE", "ulimit -n"}, {}},
    {"DescriptorsOfTheSystem", ENFILE, kAllowed, {"ENFILE", "ulimit -n"}, {}},
    {"AnythingElse", EINVAL, kAllowed, {"EINVAL", "Invalid argument"}, {"seccomp"}},
};

class Denied : public testing::TestWithParam<Case> {};

INSTANTIATE_TEST_SUITE_P(Because, Denied, testing::ValuesIn(kCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_P(Denied, NamesTheKnobInOneSentence) {
  const std::string text =
      uring::explain_setup_failure(base::Errno{GetParam().error}, GetParam().around);
  EXPECT_TRUE(text.starts_with("io_uring_setup failed with ")) << text;
  EXPECT_TRUE(text.ends_with(".")) << text;
  EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  for (const char* part : GetParam().says) {
    EXPECT_NE(text.find(part), std::string::npos) << "missing '" << part << "' in: " << text;
  }
  for (const char* part : GetParam().never_says) {
    EXPECT_EQ(text.find(part), std::string::npos) << "wrong '" << part << "' in: " << text;
  }
}

TEST(Denied, AsksThisProcessWhenNothingIsStated) {
  const auto around = uring::read_setup_surroundings();
  EXPECT_EQ(uring::explain_setup_failure(base::Errno{EPERM}),
            uring::explain_setup_failure(base::Errno{EPERM}, around));
}

}  // namespace
