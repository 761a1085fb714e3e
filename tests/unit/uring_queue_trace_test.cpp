// What the queues write into a trace: which records, in which order, with which values.

#include <unistd.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "common/support/trace.hpp"
#include "common/support/trace_reader.hpp"
#include "common/uring/completion_queue.hpp"
#include "common/uring/submission_queue.hpp"
#include "tests/barriers/fake_kernel.hpp"

namespace {

using fake_kernel::CompletionSide;
using fake_kernel::SubmissionSide;
using support::TraceKind;

// A record without its time.
struct Entry {
  TraceKind kind;
  std::uint64_t user_data;
  std::uint32_t a;
  std::uint32_t b;
  std::uint32_t c;
  std::uint8_t opcode;

  friend bool operator==(const Entry&, const Entry&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Entry& entry) {
    return out << support::trace_kind_name(entry.kind) << " user_data=" << entry.user_data
               << " a=" << entry.a << " b=" << entry.b << " c=" << entry.c
               << " opcode=" << unsigned{entry.opcode};
  }
};

class QueueTraceTest : public testing::Test {
 protected:
  QueueTraceTest() : path_(testing::TempDir() + "queue_trace_XXXXXX") {
    const int fd = ::mkstemp(path_.data());
    EXPECT_GE(fd, 0);
    ::close(fd);
    auto trace = support::Trace::open(path_.c_str());
    EXPECT_TRUE(trace.has_value());
    trace_.emplace(std::move(*trace));
  }
  ~QueueTraceTest() override { std::filesystem::remove(path_); }

  // What has been recorded since the trace was opened.
  std::vector<Entry> recorded() {
    EXPECT_TRUE(trace_->flush().has_value());
    auto reader = support::TraceReader::open(path_);
    EXPECT_TRUE(reader.has_value()) << reader.error();
    std::vector<Entry> entries;
    for (auto record = reader->next(); record && *record; record = reader->next()) {
      const support::TraceRecord& r = **record;
      entries.push_back({r.kind, r.user_data, r.a, r.b, r.c, r.opcode});
    }
    return entries;
  }

  std::string path_;
  std::optional<support::Trace> trace_;
};

TEST_F(QueueTraceTest, APublishRecordsTheSqesThenTheTail) {
  SubmissionSide kernel(4, 0xffff'ffff);
  uring::SubmissionQueue sq(kernel.pointers(), &*trace_);
  uring::io_uring_sqe* first = sq.next_sqe();
  first->opcode = uring::IORING_OP_RECV;
  first->fd = 17;
  first->flags = uring::IOSQE_IO_LINK;
  first->user_data = 0x0123'4567'89ab'cdef;
  uring::io_uring_sqe* second = sq.next_sqe();
  second->opcode = uring::IORING_OP_NOP;
  second->fd = -1;
  second->user_data = 2;
  EXPECT_EQ(recorded(), std::vector<Entry>()) << "nothing before publish()";
  EXPECT_EQ(sq.publish(), 2U);
  EXPECT_EQ(recorded(), std::vector<Entry>(
                            {{TraceKind::SqePrepared, 0x0123'4567'89ab'cdef, 17, 3,
                              uring::IOSQE_IO_LINK, uring::IORING_OP_RECV},
                             {TraceKind::SqePrepared, 2, 0xffff'ffff, 0, 0, uring::IORING_OP_NOP},
                             {TraceKind::SqTail, 0, 1, 2, 0, 0}}));
}

TEST_F(QueueTraceTest, AnEmptyPublishRecordsNothing) {
  SubmissionSide kernel(4, 0);
  uring::SubmissionQueue sq(kernel.pointers(), &*trace_);
  EXPECT_EQ(sq.publish(), 0U);
  EXPECT_EQ(recorded(), std::vector<Entry>());
}

TEST_F(QueueTraceTest, AHeadIsRecordedWhenItHasMoved) {
  SubmissionSide kernel(4, 0xffff'ffff);
  uring::SubmissionQueue sq(kernel.pointers(), &*trace_);
  static_cast<void>(sq.next_sqe());
  static_cast<void>(sq.next_sqe());
  EXPECT_EQ(sq.publish(), 2U);
  const std::size_t before = recorded().size();
  EXPECT_EQ(sq.pending(), 2U);
  EXPECT_EQ(recorded().size(), before) << "it has not moved";
  kernel.take(1, [](const uring::io_uring_sqe&) {});
  EXPECT_EQ(sq.pending(), 1U);
  EXPECT_EQ(sq.pending(), 1U);
  const std::vector<Entry> all = recorded();
  ASSERT_EQ(all.size(), before + 1);
  EXPECT_EQ(all.back(), (Entry{TraceKind::SqHead, 0, 0, 0, 0, 0}));
}

TEST_F(QueueTraceTest, ACopyOutRecordsTheTailTheCqesAndTheHead) {
  CompletionSide kernel(4, 0xffff'fffe);
  uring::CompletionQueue cq(kernel.pointers(), &*trace_);
  std::array<uring::io_uring_cqe, 2> cqes;
  EXPECT_EQ(cq.copy_out(cqes), 0U);
  EXPECT_EQ(recorded(), std::vector<Entry>()) << "an empty CQ leaves no trace";
  for (std::uint64_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(kernel.post({.user_data = i, .res = -9, .flags = uring::IORING_CQE_F_MORE}));
  }
  kernel.commit();
  EXPECT_EQ(cq.copy_out(cqes), 2U);
  constexpr auto kMinusNine = static_cast<std::uint32_t>(-9);
  EXPECT_EQ(recorded(),
            std::vector<Entry>({{TraceKind::CqTail, 0, 1, 0, 0, 0},
                                {TraceKind::Cqe, 0, kMinusNine, uring::IORING_CQE_F_MORE, 0, 0},
                                {TraceKind::Cqe, 1, kMinusNine, uring::IORING_CQE_F_MORE, 0, 0},
                                {TraceKind::CqHead, 0, 0, 2, 0, 0}}));
}

TEST_F(QueueTraceTest, AnAdvanceRecordsTheHead) {
  CompletionSide kernel(4, 0);
  uring::CompletionQueue cq(kernel.pointers(), &*trace_);
  ASSERT_TRUE(kernel.post({.user_data = 1, .res = 0, .flags = 0}));
  kernel.commit();
  cq.advance(1);
  EXPECT_EQ(recorded(), std::vector<Entry>({{TraceKind::CqHead, 0, 1, 1, 0, 0}}));
}

}  // namespace
