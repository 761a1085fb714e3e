#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "common/support/cpu_clock.hpp"
#include "common/support/trace.hpp"
#include "common/support/trace_reader.hpp"

namespace {

using support::Trace;
using support::TraceHeader;
using support::TraceKind;
using support::TraceReader;
using support::TraceRecord;

class TraceTest : public testing::Test {
 protected:
  TraceTest() : folder_(testing::TempDir() + "trace_test_XXXXXX") {
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
    path_ = folder_ + "/trace";
  }
  ~TraceTest() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::uintmax_t file_size() const { return std::filesystem::file_size(path_); }

  void write_file(const void* bytes, std::size_t size) {
    std::ofstream(path_, std::ios::binary)
        .write(static_cast<const char*>(bytes), static_cast<std::streamsize>(size));
  }

  [[nodiscard]] std::vector<TraceRecord> read_all() const {
    std::vector<TraceRecord> records;
    auto reader = TraceReader::open(path_);
    EXPECT_TRUE(reader.has_value()) << reader.error();
    while (reader) {
      const auto record = reader->next();
      EXPECT_TRUE(record.has_value()) << record.error();
      if (!record || !*record) {
        break;
      }
      records.push_back(**record);
    }
    return records;
  }

  std::string folder_;
  std::string path_;
};

Trace must_open(const std::string& path, std::size_t buffered_records) {
  auto trace = Trace::open(path.c_str(), buffered_records);
  EXPECT_TRUE(trace.has_value()) << trace.error().name();
  return std::move(*trace);
}

TEST_F(TraceTest, WhatIsRecordedIsRead) {
  const std::uint64_t before_ns = support::now_ns();
  {
    Trace trace = must_open(path_, 4);
    trace.record(TraceKind::SqePrepared, 0x0123456789abcdef, 7, 8, 9, 10);
    trace.record(TraceKind::Cqe, 2, 0xfffffff7, 4, 0, 0, 3);
  }
  const std::uint64_t after_ns = support::now_ns();

  const auto records = read_all();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].kind, TraceKind::SqePrepared);
  EXPECT_EQ(records[0].user_data, 0x0123456789abcdefu);
  EXPECT_EQ(records[0].a, 7u);
  EXPECT_EQ(records[0].b, 8u);
  EXPECT_EQ(records[0].c, 9u);
  EXPECT_EQ(records[0].opcode, 10);
  EXPECT_EQ(records[0].ring, 0);
  EXPECT_EQ(records[1].kind, TraceKind::Cqe);
  EXPECT_EQ(records[1].a, 0xfffffff7u);
  EXPECT_EQ(records[1].ring, 3);

  const auto reader = TraceReader::open(path_);
  ASSERT_TRUE(reader.has_value());
  EXPECT_LE(before_ns, reader->start_ns());
  EXPECT_LE(reader->start_ns(), records[0].time_ns);
  EXPECT_LE(records[0].time_ns, records[1].time_ns);
  EXPECT_LE(records[1].time_ns, after_ns);
}

TEST_F(TraceTest, NothingIsWrittenUntilTheBufferIsFull) {
  Trace trace = must_open(path_, 3);
  trace.record(TraceKind::SqTail, 0, 1, 1);
  trace.record(TraceKind::SqTail, 0, 2, 1);
  EXPECT_EQ(file_size(), sizeof(TraceHeader));
  trace.record(TraceKind::SqTail, 0, 3, 1);
  EXPECT_EQ(file_size(), sizeof(TraceHeader) + 3 * sizeof(TraceRecord));
  trace.record(TraceKind::SqTail, 0, 4, 1);
  EXPECT_EQ(file_size(), sizeof(TraceHeader) + 3 * sizeof(TraceRecord));
  EXPECT_TRUE(trace.flush().has_value());
  EXPECT_EQ(file_size(), sizeof(TraceHeader) + 4 * sizeof(TraceRecord));
}

TEST_F(TraceTest, ManyBuffersKeepTheOrder) {
  constexpr std::uint32_t kRecords = 1000;
  {
    Trace trace = must_open(path_, 16);
    for (std::uint32_t i = 0; i < kRecords; ++i) {
      trace.record(TraceKind::CqHead, 0, i, 1);
    }
  }
  const auto records = read_all();
  ASSERT_EQ(records.size(), kRecords);
  for (std::uint32_t i = 0; i < kRecords; ++i) {
    ASSERT_EQ(records[i].a, i);
  }
}

TEST_F(TraceTest, AMovedTraceWritesEachRecordOnce) {
  {
    Trace first = must_open(path_, 16);
    first.record(TraceKind::SqTail, 0, 1, 1);
    Trace second = std::move(first);
    second.record(TraceKind::SqTail, 0, 2, 1);
  }
  EXPECT_EQ(read_all().size(), 2u);
}

TEST_F(TraceTest, MoveAssignmentWritesWhatTheLeftSideHeld) {
  Trace trace = must_open(path_, 16);
  trace.record(TraceKind::SqTail, 0, 1, 1);
  trace = must_open(folder_ + "/other", 16);
  EXPECT_EQ(read_all().size(), 1u);
}

TEST_F(TraceTest, OpenSaysWhyItFailed) {
  const auto no_folder = Trace::open((folder_ + "/missing/trace").c_str());
  ASSERT_FALSE(no_folder.has_value());
  EXPECT_EQ(no_folder.error().value, ENOENT);

  const auto full = Trace::open("/dev/full");  // opens, and fails every write
  ASSERT_FALSE(full.has_value());
  EXPECT_EQ(full.error().value, ENOSPC);
}

// The file may grow to the header, one record and a half: the second record is a short write and
// then EFBIG. (A disk that fills up behaves like this.)
TEST_F(TraceTest, AWriteErrorIsReportedOnceAndRecordingGoesOn) {
  rlimit old_limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  rlimit limit = old_limit;
  limit.rlim_cur = sizeof(TraceHeader) + sizeof(TraceRecord) + sizeof(TraceRecord) / 2;
  const auto old_handler = ::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  {
    Trace trace = must_open(path_, 1);
    for (std::uint32_t i = 0; i < 10; ++i) {
      trace.record(TraceKind::SqTail, 0, i, 1);
    }
    const auto reported = trace.flush();
    ASSERT_FALSE(reported.has_value());
    EXPECT_EQ(reported.error().value, EFBIG);
    EXPECT_TRUE(trace.flush().has_value());

    // Room again; but what came between is lost, so the trace stays closed.
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old_limit), 0);
    trace.record(TraceKind::SqTail, 0, 10, 1);
    EXPECT_TRUE(trace.flush().has_value());
  }
  ::signal(SIGXFSZ, old_handler);
  EXPECT_EQ(file_size(), limit.rlim_cur);

  auto reader = TraceReader::open(path_);
  ASSERT_TRUE(reader.has_value());
  const auto whole = reader->next();
  ASSERT_TRUE(whole.has_value() && whole->has_value());
  EXPECT_EQ((*whole)->a, 0u);
  const auto cut = reader->next();
  ASSERT_FALSE(cut.has_value());
  EXPECT_EQ(cut.error(), "the trace '" + path_ +
                             "' is cut off: after 1 whole records come 16 bytes of one that "
                             "should have 32");
}

TEST_F(TraceTest, AMissingFileIsNamed) {
  const auto reader = TraceReader::open(path_);
  ASSERT_FALSE(reader.has_value());
  EXPECT_EQ(reader.error(), "cannot read the trace '" + path_ + "': No such file or directory");
}

TEST_F(TraceTest, AFolderCannotBeRead) {
  const auto reader = TraceReader::open(folder_);
  ASSERT_FALSE(reader.has_value());
  EXPECT_EQ(reader.error(), "cannot read the trace '" + folder_ + "': Is a directory");
}

TEST_F(TraceTest, AFileShorterThanTheHeaderIsCutOff) {
  for (const std::size_t size : {0u, 3u, 8u, 23u}) {
    TraceHeader header{};
    std::copy(std::begin(support::kTraceMagic), std::end(support::kTraceMagic), header.magic);
    write_file(&header, size);
    const auto reader = TraceReader::open(path_);
    ASSERT_FALSE(reader.has_value()) << size;
    EXPECT_NE(reader.error().find("is cut off"), std::string::npos) << reader.error();
  }
}

TEST_F(TraceTest, AnotherFileIsNoTrace) {
  const std::string text = "#!/bin/sh\n";
  write_file(text.data(), text.size());
  const auto reader = TraceReader::open(path_);
  ASSERT_FALSE(reader.has_value());
  EXPECT_NE(reader.error().find("is no trace"), std::string::npos) << reader.error();
}

TEST_F(TraceTest, AnotherVersionAndAnotherRecordSizeAreRefused) {
  TraceHeader header{};
  std::copy(std::begin(support::kTraceMagic), std::end(support::kTraceMagic), header.magic);
  header.version = support::kTraceVersion + 1;
  header.record_size = sizeof(TraceRecord);
  write_file(&header, sizeof header);
  const auto newer = TraceReader::open(path_);
  ASSERT_FALSE(newer.has_value());
  EXPECT_NE(newer.error().find("has version 2, but this program reads version 1"),
            std::string::npos)
      << newer.error();

  header.version = support::kTraceVersion;
  header.record_size = 48;
  write_file(&header, sizeof header);
  const auto wider = TraceReader::open(path_);
  ASSERT_FALSE(wider.has_value());
  EXPECT_NE(wider.error().find("records of 48 bytes"), std::string::npos) << wider.error();
}

// What comes after the padded start of the line: the fields.
std::string fields_of(const TraceRecord& record) {
  const std::string line = support::format_trace_record(record, 0);
  const std::size_t kind = line.find(support::trace_kind_name(record.kind));
  EXPECT_NE(kind, std::string::npos) << line;
  return line.substr(kind);
}

TraceRecord make(TraceKind kind, std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  return {.time_ns = 0,
          .user_data = 0xab,
          .a = a,
          .b = b,
          .c = c,
          .kind = kind,
          .opcode = 13,
          .ring = 0};
}

TEST(TraceFormat, EveryKindNamesItsFields) {
  const auto minus_one = static_cast<std::uint32_t>(-1);
  EXPECT_EQ(fields_of(make(TraceKind::SqePrepared, minus_one, 2, 4)),
            "SqePrepared opcode=13 user_data=0xab fd=-1 index=2 flags=0x4");
  EXPECT_EQ(fields_of(make(TraceKind::SqTail, 4294967295, 2, 0)),
            "SqTail      tail=4294967295 published=2");
  EXPECT_EQ(fields_of(make(TraceKind::SqHead, 5, 0, 0)), "SqHead      head=5");
  EXPECT_EQ(fields_of(make(TraceKind::EnterCall, 1, 2, 9)),
            "EnterCall   to_submit=1 min_complete=2 flags=0x9");
  EXPECT_EQ(fields_of(make(TraceKind::EnterReturn, static_cast<std::uint32_t>(-EBUSY), 0, 0)),
            "EnterReturn result=-16");
  EXPECT_EQ(fields_of(make(TraceKind::CqTail, 6, 0, 0)), "CqTail      tail=6");
  EXPECT_EQ(fields_of(make(TraceKind::CqHead, 6, 3, 0)), "CqHead      head=6 released=3");
  EXPECT_EQ(fields_of(make(TraceKind::Cqe, static_cast<std::uint32_t>(-EBADF), 2, 0)),
            "Cqe         user_data=0xab res=-9 flags=0x2");
  EXPECT_EQ(fields_of(make(TraceKind::BufferOut, 1, 77, 0)), "BufferOut   group=1 bid=77");
  EXPECT_EQ(fields_of(make(TraceKind::BufferIn, 1, 77, 0)), "BufferIn    group=1 bid=77");
  EXPECT_EQ(fields_of(make(TraceKind::Overflow, 3, 0, 0)), "Overflow    overflow=3");
  EXPECT_EQ(fields_of(make(TraceKind::Dispatch, 1, 2, 3)),
            "Dispatch    user_data=0xab kind=1 slot=2 generation=3");
}

TEST(TraceFormat, TheLineBeginsWithTheRelativeTimeAndTheRing) {
  TraceRecord record = make(TraceKind::SqHead, 5, 0, 0);
  record.time_ns = 1'000'012'345;
  record.ring = 2;
  EXPECT_EQ(support::format_trace_record(record, 1'000'000'000),
            "       +12.345 us  ring 2  SqHead      head=5");
  EXPECT_EQ(support::format_trace_record(record, 1'000'013'000),
            "        -0.655 us  ring 2  SqHead      head=5");
}

TEST(TraceFormat, OpcodesGetNamesFromTheCaller) {
  const auto opcode_name = [](std::uint8_t opcode) -> const char* {
    return opcode == 13 ? "ACCEPT" : nullptr;
  };
  TraceRecord record = make(TraceKind::SqePrepared, 4, 0, 0);
  EXPECT_NE(support::format_trace_record(record, 0, opcode_name).find(" opcode=13(ACCEPT) "),
            std::string::npos);
  record.opcode = 99;
  EXPECT_NE(support::format_trace_record(record, 0, opcode_name).find(" opcode=99 "),
            std::string::npos);
}

TEST(TraceFormat, AKindFromNowhereIsShownAsSuch) {
  const TraceRecord record = make(static_cast<TraceKind>(200), 1, 2, 3);
  EXPECT_STREQ(support::trace_kind_name(record.kind), "?");
  EXPECT_NE(support::format_trace_record(record, 0).find("a=0x1 b=0x2 c=0x3"), std::string::npos);
}

}  // namespace
