// The policy table: what it decides, and that it notices at compile time what it leaves out.

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "common/loop/errno_policy.hpp"
#include "common/uring/uapi.hpp"

namespace {

using loop::Action;
using loop::ErrnoPolicy;
using loop::errors_of;
using loop::PolicyRow;

constexpr std::uint8_t kTimer = 1;
constexpr std::uint8_t kCancel = 2;
constexpr std::uint8_t kRecv = 3;

constexpr ErrnoPolicy kPolicy{std::array{
    PolicyRow{kTimer, ETIME, Action::Rearm},
    PolicyRow{kTimer, ECANCELED, Action::Ignore},
    PolicyRow{kCancel, ENOENT, Action::Ignore},
    PolicyRow{kRecv, ENOBUFS, Action::AwaitBuffers},
    PolicyRow{kRecv, ECANCELED, Action::Close},
}};

static_assert(kPolicy.covers(kTimer, errors_of(uring::IORING_OP_TIMEOUT)));
static_assert(kPolicy.is_unambiguous());

// What a forgotten row does: the static_assert that every application states would not compile.
static_assert(!kPolicy.covers(kCancel, errors_of(uring::IORING_OP_ASYNC_CANCEL)),
              "EALREADY has no row");
static_assert(!kPolicy.covers(kRecv, errors_of(uring::IORING_OP_RECV)));

// A row counts only for its own kind.
static_assert(!kPolicy.covers(kCancel, errors_of(uring::IORING_OP_TIMEOUT)));

// An operation without errors of its own is covered by nothing at all.
static_assert(ErrnoPolicy{std::array<PolicyRow, 0>{}}.covers(kTimer,
                                                             errors_of(uring::IORING_OP_NOP)));

static_assert(!ErrnoPolicy{std::array{PolicyRow{kTimer, ETIME, Action::Rearm},
                                      PolicyRow{kTimer, ECANCELED, Action::Ignore},
                                      PolicyRow{kTimer, ETIME, Action::Close}}}
                   .is_unambiguous(),
              "ETIME is decided twice");

static_assert(kPolicy.decide(kRecv, -ENOBUFS) == Action::AwaitBuffers);

TEST(ErrnoPolicy, DecidesByKindAndErrno) {
  EXPECT_EQ(kPolicy.decide(kTimer, -ETIME), Action::Rearm);
  EXPECT_EQ(kPolicy.decide(kTimer, -ECANCELED), Action::Ignore);
  EXPECT_EQ(kPolicy.decide(kRecv, -ECANCELED), Action::Close);
}

TEST(ErrnoPolicy, WithoutARowIsFatal) {
  EXPECT_EQ(kPolicy.decide(kTimer, -EINVAL), Action::Fatal);
  EXPECT_EQ(kPolicy.decide(kCancel, -ETIME), Action::Fatal) << "a row of another kind";
  EXPECT_EQ(kPolicy.decide(99, -ECANCELED), Action::Fatal) << "a kind without rows";
  EXPECT_EQ((ErrnoPolicy{std::array<PolicyRow, 0>{}}.decide(kTimer, -ETIME)), Action::Fatal);
}

TEST(ErrnoPolicy, EachActionHasAName) {
  std::set<std::string> names;
  for (const Action action :
       {Action::Retry, Action::Rearm, Action::AwaitBuffers, Action::AwaitDescriptors,
        Action::AwaitReadiness, Action::Close, Action::Ignore, Action::Fatal}) {
    names.insert(loop::to_string(action));
  }
  EXPECT_EQ(names.size(), 8U);
  EXPECT_FALSE(names.contains("?"));
}

// --- the lists of errors ------------------------------------------------------------------------

bool lists(std::uint8_t opcode, int error) {
  return std::ranges::count(errors_of(opcode), error) > 0;
}

TEST(ErrorLists, NameEachErrorOnceAndNoMistakeOfOurs) {
  for (unsigned opcode = 0; opcode < 256; ++opcode) {
    std::set<int> seen;
    for (const int error : errors_of(static_cast<std::uint8_t>(opcode))) {
      EXPECT_GT(error, 0) << "opcode " << opcode;
      EXPECT_TRUE(seen.insert(error).second) << "opcode " << opcode << " errno " << error;
    }
    for (const int mistake : {EINVAL, EFAULT, EBADF, EOPNOTSUPP}) {
      EXPECT_FALSE(seen.contains(mistake)) << "opcode " << opcode << " errno " << mistake;
    }
  }
}

// Whatever waits can be cancelled, and a policy that forgets it dies at shutdown.
TEST(ErrorLists, WhatCanBeCancelledSaysSo) {
  for (const std::uint8_t opcode :
       {uring::IORING_OP_ACCEPT, uring::IORING_OP_RECV, uring::IORING_OP_RECVMSG,
        uring::IORING_OP_SEND, uring::IORING_OP_SENDMSG, uring::IORING_OP_SEND_ZC,
        uring::IORING_OP_READ, uring::IORING_OP_READ_FIXED, uring::IORING_OP_WRITE,
        uring::IORING_OP_TIMEOUT, uring::IORING_OP_CLOSE, uring::IORING_OP_OPENAT2}) {
    EXPECT_TRUE(lists(opcode, ECANCELED)) << "opcode " << unsigned{opcode};
  }
}

// The states to wait in, which must never be taken for the end of a connection.
TEST(ErrorLists, NameTheStatesToWaitIn) {
  EXPECT_TRUE(lists(uring::IORING_OP_RECV, ENOBUFS));
  EXPECT_TRUE(lists(uring::IORING_OP_ACCEPT, EMFILE));
  EXPECT_TRUE(lists(uring::IORING_OP_ACCEPT, ENFILE));
  EXPECT_TRUE(lists(uring::IORING_OP_SEND_ZC, ENOMEM));
}

TEST(ErrorLists, AnUnlistedOpcodeHasNone) {
  EXPECT_TRUE(errors_of(uring::IORING_OP_NOP).empty());
  EXPECT_TRUE(errors_of(255).empty());
}

}  // namespace
