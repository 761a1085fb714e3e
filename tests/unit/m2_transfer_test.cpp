// The state machine of a file on its way to a client, against completions that the test makes up:
// whole and short reads at every place, errors, reads that end in any order, partial sends.

#include <array>
#include <cerrno>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "m2_file_server/transfer.hpp"

namespace {

using file_server::BufferId;
using file_server::BufferPool;
using file_server::Chunk;
using file_server::ReadOutcome;
using file_server::ReadRequest;
using file_server::Transfer;

constexpr std::uint32_t kBody = 16384;
constexpr auto kHeadRoom = static_cast<std::uint32_t>(BufferPool::kHeadRoom);
constexpr const char* kCheck = "CHECK\\(.*\\) failed";

// A transfer whose first piece lies in buffer 0.
class FileTransfer : public testing::Test {
 protected:
  void begin(std::uint64_t first, std::uint64_t bytes, std::uint32_t alignment = 1) {
    transfer_ = Transfer(first, bytes, alignment, kBody);
    transfer_.add(chunks_, 0);
  }
  // The read ends with all that it has asked for, or this result.
  ReadOutcome read_all(BufferId id) {
    return Transfer::on_read(chunks_[id],
                             static_cast<std::int32_t>(Transfer::next_read(chunks_[id]).size));
  }
  ReadOutcome read(BufferId id, std::int32_t res) { return Transfer::on_read(chunks_[id], res); }
  [[nodiscard]] std::uint32_t unsent(BufferId id) const {
    return chunks_[id].send_end - chunks_[id].send_begin;
  }

  std::array<Chunk, 4> chunks_{};
  Transfer transfer_;
};

using FileTransferDeathTest = FileTransfer;

}  // namespace

// --- reading ---------------------------------------------------------------------------------------

TEST_F(FileTransfer, NothingToSendIsDone) {
  EXPECT_TRUE(transfer_.done());
  EXPECT_FALSE(transfer_.wants_buffer());
  EXPECT_EQ(transfer_.ready(chunks_), std::nullopt);
  EXPECT_EQ(transfer_.pop(chunks_), std::nullopt);
  transfer_.rewind(chunks_);
  EXPECT_TRUE(transfer_.done());
  EXPECT_TRUE(Transfer(5, 0, 4096, kBody).done());
}

TEST_F(FileTransfer, AWholeReadFillsThePiece) {
  begin(1000, 300);
  EXPECT_FALSE(transfer_.wants_buffer());
  EXPECT_EQ(Transfer::next_read(chunks_[0]), (ReadRequest{.offset = 1000, .size = 300}));
  EXPECT_EQ(transfer_.ready(chunks_), std::nullopt);
  EXPECT_EQ(transfer_.unsent_bytes(chunks_), 0U);
  EXPECT_EQ(read_all(0), ReadOutcome::Filled);
  EXPECT_EQ(transfer_.ready(chunks_), 0);
  EXPECT_EQ(transfer_.unsent_bytes(chunks_), 300U);
  EXPECT_EQ(chunks_[0].send_begin, kHeadRoom);
  EXPECT_EQ(unsent(0), 300U);
}

TEST_F(FileTransfer, AShortReadGoesOnBehindWhatItGave) {
  for (std::uint32_t cut = 1; cut < 300; ++cut) {
    begin(1000, 300);
    EXPECT_EQ(read(0, static_cast<std::int32_t>(cut)), ReadOutcome::Again);
    EXPECT_EQ(transfer_.ready(chunks_), std::nullopt);
    EXPECT_EQ(Transfer::next_read(chunks_[0]),
              (ReadRequest{.offset = 1000 + cut, .body_begin = cut, .size = 300 - cut}));
    EXPECT_EQ(read_all(0), ReadOutcome::Filled);
    EXPECT_EQ(unsent(0), 300U);
  }
}

TEST_F(FileTransfer, AByteAtATimeComesToTheEnd) {
  begin(0, 300);
  for (std::uint32_t i = 0; i < 299; ++i) {
    ASSERT_EQ(read(0, 1), ReadOutcome::Again);
    ASSERT_EQ(Transfer::next_read(chunks_[0]).offset, i + 1);
  }
  EXPECT_EQ(read(0, 1), ReadOutcome::Filled);
}

TEST_F(FileTransfer, OnlyNoBytesAtAllIsTheEndOfTheFile) {
  for (std::int32_t cut = 0; cut < 300; ++cut) {
    begin(1000, 300);
    if (cut > 0) {
      ASSERT_EQ(read(0, cut), ReadOutcome::Again);
    }
    EXPECT_EQ(read(0, 0), ReadOutcome::Ended);
    EXPECT_EQ(transfer_.ready(chunks_), std::nullopt) << "what was read of it is not sent";
  }
}

TEST_F(FileTransfer, AnErrorThatPassesIsTriedAgainButNotForEver) {
  for (const int error : {EAGAIN, EINTR}) {
    begin(0, 300);
    ASSERT_EQ(read(0, 100), ReadOutcome::Again);
    const ReadRequest asked = Transfer::next_read(chunks_[0]);
    int times = 0;
    while (times < 1000 && read(0, -error) == ReadOutcome::Again) {
      ++times;
      ASSERT_EQ(Transfer::next_read(chunks_[0]), asked) << "the same again";
    }
    EXPECT_GE(times, 1);
    EXPECT_LE(times, 100);
  }
}

TEST_F(FileTransfer, BehindAnErrorThatHasPassedItGoesOn) {
  begin(0, 300);
  EXPECT_EQ(read(0, -EINTR), ReadOutcome::Again);
  EXPECT_EQ(read(0, 200), ReadOutcome::Again);
  EXPECT_EQ(read(0, -EAGAIN), ReadOutcome::Again);
  EXPECT_EQ(Transfer::next_read(chunks_[0]),
            (ReadRequest{.offset = 200, .body_begin = 200, .size = 100}));
  EXPECT_EQ(read(0, 100), ReadOutcome::Filled);
}

TEST_F(FileTransfer, OtherErrorsAreFinal) {
  for (const int error : {EIO, ECANCELED, ENOMEM, EBADF, EFAULT, EINVAL, EISDIR, ESTALE}) {
    begin(0, 300);
    EXPECT_EQ(read(0, -error), ReadOutcome::Failed) << error;
    begin(0, 300);
    ASSERT_EQ(read(0, 299), ReadOutcome::Again);
    EXPECT_EQ(read(0, -error), ReadOutcome::Failed) << error;
    EXPECT_EQ(transfer_.ready(chunks_), std::nullopt);
  }
}

TEST_F(FileTransfer, ALargeFileIsCutIntoPieces) {
  const std::uint64_t first = 100;
  begin(first, 2 * kBody + 7);
  EXPECT_TRUE(transfer_.wants_buffer());
  transfer_.add(chunks_, 3);
  transfer_.add(chunks_, 1);
  EXPECT_FALSE(transfer_.wants_buffer());
  EXPECT_EQ(transfer_.chunk_count(), 3);
  EXPECT_EQ(Transfer::next_read(chunks_[0]), (ReadRequest{.offset = first, .size = kBody}));
  EXPECT_EQ(Transfer::next_read(chunks_[3]), (ReadRequest{.offset = first + kBody, .size = kBody}));
  EXPECT_EQ(Transfer::next_read(chunks_[1]), (ReadRequest{.offset = first + 2 * kBody, .size = 7}));
}

TEST_F(FileTransfer, AFileOfManyGigabytesHasItsOffsets) {
  const std::uint64_t first = (std::uint64_t{5} << 32) + 3;
  begin(first, std::uint64_t{1} << 33);
  transfer_.add(chunks_, 1);
  EXPECT_EQ(Transfer::next_read(chunks_[1]).offset, first + kBody);
}

TEST_F(FileTransfer, WhatIsReadInAnyOrderIsSentInTheFilesOrder) {
  begin(0, 3 * kBody);
  transfer_.add(chunks_, 1);
  transfer_.add(chunks_, 2);
  EXPECT_EQ(read_all(2), ReadOutcome::Filled);
  EXPECT_EQ(transfer_.ready(chunks_), std::nullopt);
  EXPECT_EQ(read(1, 10), ReadOutcome::Again);
  EXPECT_EQ(read_all(0), ReadOutcome::Filled);
  EXPECT_EQ(transfer_.ready(chunks_), 0);
  EXPECT_EQ(transfer_.unsent_bytes(chunks_), 2 * kBody);
  EXPECT_EQ(transfer_.on_sent(chunks_, kBody), 0);
  EXPECT_EQ(transfer_.ready(chunks_), std::nullopt) << "the second is not there";
  EXPECT_EQ(read_all(1), ReadOutcome::Filled);
  EXPECT_EQ(transfer_.ready(chunks_), 1);
  EXPECT_EQ(transfer_.on_sent(chunks_, kBody), 1);
  EXPECT_EQ(transfer_.ready(chunks_), 2);
  EXPECT_FALSE(transfer_.done());
  EXPECT_EQ(transfer_.on_sent(chunks_, kBody), 2);
  EXPECT_TRUE(transfer_.done());
}

TEST_F(FileTransfer, ABufferThatWasSentTakesALaterPiece) {
  begin(0, 3 * kBody);
  transfer_.add(chunks_, 1);
  ASSERT_EQ(read_all(0), ReadOutcome::Filled);
  ASSERT_EQ(transfer_.on_sent(chunks_, kBody), 0);
  transfer_.add(chunks_, 0);
  EXPECT_EQ(Transfer::next_read(chunks_[0]), (ReadRequest{.offset = 2 * kBody, .size = kBody}));
  EXPECT_FALSE(chunks_[0].filled);
  ASSERT_EQ(read_all(0), ReadOutcome::Filled);
  EXPECT_EQ(transfer_.ready(chunks_), std::nullopt) << "piece 1 comes before";
}

// --- O_DIRECT ----------------------------------------------------------------------------------------

struct Direct {
  std::uint32_t alignment;
  std::uint64_t first;
  std::uint64_t bytes;
};

class FileTransferDirect : public FileTransfer, public testing::WithParamInterface<Direct> {};

TEST_P(FileTransferDirect, EveryReadIsOfWholeUnitsAndEveryByteIsInOne) {
  const auto [alignment, first, bytes] = GetParam();
  transfer_ = Transfer(first, bytes, alignment, kBody);
  std::uint64_t next = first;  // the byte that the next piece begins with
  while (transfer_.wants_buffer()) {
    transfer_.add(chunks_, 0);
    const ReadRequest read = Transfer::next_read(chunks_[0]);
    EXPECT_EQ(read.offset % alignment, 0U);
    EXPECT_EQ(read.size % alignment, 0U);
    EXPECT_EQ(read.body_begin, 0U);
    EXPECT_GT(read.size, 0U);
    EXPECT_LE(read.size, kBody);
    EXPECT_LE(read.offset, next);
    EXPECT_GT(read.offset + alignment, next) << "a unit that nobody wants";
    ASSERT_EQ(read_all(0), ReadOutcome::Filled);
    // Where the wanted bytes lie in the buffer is where the read has put them.
    EXPECT_EQ(chunks_[0].send_begin, kHeadRoom + (next - read.offset));
    EXPECT_LE(chunks_[0].send_end, kHeadRoom + read.size);
    EXPECT_GT(chunks_[0].send_end + alignment, kHeadRoom + read.size) << "a unit that nobody wants";
    next += unsent(0);
    ASSERT_EQ(transfer_.on_sent(chunks_, unsent(0)), 0);
  }
  EXPECT_EQ(next, first + bytes);
  EXPECT_TRUE(transfer_.done());
}

INSTANTIATE_TEST_SUITE_P(
    Ranges, FileTransferDirect,
    testing::Values(Direct{1, 0, 1}, Direct{1, 12345, 3 * kBody + 5}, Direct{512, 0, 512},
                    Direct{512, 0, 1}, Direct{512, 511, 1}, Direct{512, 511, 2},
                    Direct{512, 512, 511}, Direct{512, 1000, 3 * kBody}, Direct{4096, 0, 1},
                    Direct{4096, 4095, 2}, Direct{4096, 4096, 4096}, Direct{4096, 4097, 2 * kBody},
                    Direct{4096, kBody - 1, kBody + 2}, Direct{4096, 123, 7 * kBody},
                    Direct{4096, (std::uint64_t{1} << 40) + 1, kBody}));

TEST_F(FileTransfer, DirectTheLastReadGoesPastTheEndOfTheFileAndGetsWhatThereIs) {
  for (const std::uint32_t alignment : {512U, 4096U}) {
    begin(0, 10'000, alignment);
    EXPECT_GE(Transfer::next_read(chunks_[0]).size, 10'000U);
    EXPECT_EQ(read(0, 10'000), ReadOutcome::Filled);
    EXPECT_EQ(unsent(0), 10'000U);
  }
}

TEST_F(FileTransfer, DirectAFileThatHasGrownGivesMoreAndItIsNotSent) {
  begin(100, 1000, 4096);
  EXPECT_EQ(read(0, 4096), ReadOutcome::Filled);
  EXPECT_EQ(chunks_[0].send_begin, kHeadRoom + 100);
  EXPECT_EQ(unsent(0), 1000U);
}

TEST_F(FileTransfer, DirectAShortReadGoesOnAtTheUnitInWhichItHasEnded) {
  begin(100, 9000, 4096);  // three units, the wanted bytes end at 9100
  EXPECT_EQ(read(0, 4096), ReadOutcome::Again);
  EXPECT_EQ(Transfer::next_read(chunks_[0]),
            (ReadRequest{.offset = 4096, .body_begin = 4096, .size = 8192}));
  EXPECT_EQ(read(0, 4097), ReadOutcome::Again);
  EXPECT_EQ(Transfer::next_read(chunks_[0]),
            (ReadRequest{.offset = 8192, .body_begin = 8192, .size = 4096}));
  EXPECT_EQ(read(0, 4096), ReadOutcome::Filled);
  EXPECT_EQ(chunks_[0].send_begin, kHeadRoom + 100);
  EXPECT_EQ(unsent(0), 9000U);
}

TEST_F(FileTransfer, DirectShortReadsAtEveryPlace) {
  constexpr std::uint32_t kFirst = 100;
  constexpr std::uint32_t kBytes = 2000;
  for (const std::uint32_t alignment : {512U, 4096U}) {
    for (std::uint32_t cut = 1; cut < kFirst + kBytes; ++cut) {
      begin(kFirst, kBytes, alignment);
      ASSERT_EQ(read(0, static_cast<std::int32_t>(cut)), ReadOutcome::Again);
      const ReadRequest rest = Transfer::next_read(chunks_[0]);
      ASSERT_EQ(rest.offset, cut / alignment * alignment);
      ASSERT_EQ(rest.body_begin, rest.offset);
      ASSERT_EQ(rest.size % alignment, 0U);
      ASSERT_GE(rest.offset + rest.size, kFirst + kBytes);
      // To the last byte and not one further: the file ends there.
      ASSERT_EQ(read(0, static_cast<std::int32_t>(kFirst + kBytes - rest.offset)),
                ReadOutcome::Filled);
      ASSERT_EQ(unsent(0), kBytes);
    }
  }
}

TEST_F(FileTransfer, DirectBytesThatWereThereBeforeAreNoProgress) {
  begin(0, 10'000, 4096);
  ASSERT_EQ(read(0, 5000), ReadOutcome::Again);
  EXPECT_EQ(read(0, 904), ReadOutcome::Ended) << "the file ends at 5000";
  begin(0, 10'000, 4096);
  ASSERT_EQ(read(0, 5000), ReadOutcome::Again);
  EXPECT_EQ(read(0, 905), ReadOutcome::Again);
  begin(100, 200, 4096);
  ASSERT_EQ(read(0, 50), ReadOutcome::Again);
  EXPECT_EQ(read(0, 50), ReadOutcome::Ended) << "not even the bytes in front of the wanted ones";
}

// --- sending ------------------------------------------------------------------------------------------

TEST_F(FileTransfer, TheHeadStandsRightInFrontOfTheBody) {
  for (const std::uint32_t alignment : {1U, 512U, 4096U}) {
    begin(4200, 300, alignment);
    ASSERT_EQ(read_all(0), ReadOutcome::Filled);
    const std::uint32_t body_begin = chunks_[0].send_begin;
    Transfer::put_head(chunks_[0], 250);
    EXPECT_EQ(chunks_[0].send_begin, body_begin - 250);
    EXPECT_EQ(chunks_[0].head_bytes, 250U);
    EXPECT_EQ(transfer_.unsent_bytes(chunks_), 550U);
  }
}

TEST_F(FileTransfer, ThereIsRoomForAHeadOfFourKilobytes) {
  begin(0, 1);
  ASSERT_EQ(read_all(0), ReadOutcome::Filled);
  Transfer::put_head(chunks_[0], kHeadRoom);
  EXPECT_EQ(chunks_[0].send_begin, 0U);
}

TEST_F(FileTransfer, APartialSendTakesOfTheHeadFirst) {
  begin(0, 300);
  ASSERT_EQ(read_all(0), ReadOutcome::Filled);
  Transfer::put_head(chunks_[0], 250);
  EXPECT_EQ(transfer_.on_sent(chunks_, 100), std::nullopt);
  EXPECT_EQ(chunks_[0].head_bytes, 150U);
  EXPECT_EQ(unsent(0), 450U);
  EXPECT_EQ(transfer_.on_sent(chunks_, 200), std::nullopt);
  EXPECT_EQ(chunks_[0].head_bytes, 0U);
  EXPECT_EQ(unsent(0), 250U);
  EXPECT_EQ(transfer_.on_sent(chunks_, 0), std::nullopt);
  EXPECT_EQ(transfer_.on_sent(chunks_, 250), 0);
  EXPECT_TRUE(transfer_.done());
}

// --- giving up ------------------------------------------------------------------------------------------

TEST_F(FileTransfer, ThePiecesComeOutInTheirOrderWhateverTheirState) {
  begin(0, 3 * kBody);
  transfer_.add(chunks_, 2);
  transfer_.add(chunks_, 1);
  ASSERT_EQ(read_all(2), ReadOutcome::Filled);
  EXPECT_EQ(transfer_.pop(chunks_), 0);
  EXPECT_EQ(transfer_.pop(chunks_), 2);
  EXPECT_EQ(transfer_.pop(chunks_), 1);
  EXPECT_EQ(transfer_.pop(chunks_), std::nullopt);
  EXPECT_EQ(transfer_.chunk_count(), 0);
}

// What take_back() does with a client that does not read: the rest of the head is kept as text, the
// rest of the body is read again.
TEST_F(FileTransfer, AfterEveryPartialSendItGoesOnWithTheNextByte) {
  constexpr std::uint32_t kHead = 20;
  constexpr std::uint64_t kFirst = 4200;
  constexpr std::uint32_t kBytes = 90;
  for (const std::uint32_t alignment : {1U, 512U, 4096U}) {
    for (std::uint32_t sent = 0; sent < kHead + kBytes; ++sent) {
      begin(kFirst, kBytes, alignment);
      ASSERT_EQ(read_all(0), ReadOutcome::Filled);
      Transfer::put_head(chunks_[0], kHead);
      ASSERT_EQ(transfer_.on_sent(chunks_, sent), std::nullopt);
      transfer_.rewind(chunks_);
      ASSERT_EQ(transfer_.pop(chunks_), 0);
      ASSERT_TRUE(transfer_.wants_buffer());
      transfer_.add(chunks_, 1);
      const std::uint32_t body_sent = sent < kHead ? 0 : sent - kHead;
      ASSERT_EQ(chunks_[1].offset, kFirst + body_sent);
      ASSERT_EQ(chunks_[1].wanted, kBytes - body_sent);
      ASSERT_EQ(chunks_[1].head_bytes, 0U);
      ASSERT_FALSE(transfer_.wants_buffer());
    }
  }
}

TEST_F(FileTransfer, AllPiecesAreReadAgain) {
  begin(50, 3 * kBody);
  transfer_.add(chunks_, 1);
  ASSERT_EQ(read_all(0), ReadOutcome::Filled);
  ASSERT_EQ(read_all(1), ReadOutcome::Filled);
  ASSERT_EQ(transfer_.on_sent(chunks_, 10), std::nullopt);
  transfer_.rewind(chunks_);
  ASSERT_EQ(transfer_.pop(chunks_), 0);
  ASSERT_EQ(transfer_.pop(chunks_), 1);
  std::uint64_t offset = 60;
  for (const std::uint32_t bytes : {kBody, kBody, kBody - 10}) {
    transfer_.add(chunks_, 2);
    EXPECT_EQ(Transfer::next_read(chunks_[2]), (ReadRequest{.offset = offset, .size = bytes}));
    offset += bytes;
    ASSERT_EQ(transfer_.pop(chunks_), 2);
  }
  EXPECT_TRUE(transfer_.done());
}

TEST_F(FileTransfer, APieceThatWasNotReadYetIsReadFromItsBeginning) {
  begin(50, 100);
  ASSERT_EQ(read(0, 30), ReadOutcome::Again);
  transfer_.rewind(chunks_);
  ASSERT_EQ(transfer_.pop(chunks_), 0);
  transfer_.add(chunks_, 1);
  EXPECT_EQ(Transfer::next_read(chunks_[1]), (ReadRequest{.offset = 50, .size = 100}));
}

// --- what must not happen ---------------------------------------------------------------------------------

TEST_F(FileTransferDeathTest, NoBufferBehindTheLastPiece) {
  begin(0, 10);
  EXPECT_DEATH(transfer_.add(chunks_, 1), kCheck);
}

TEST_F(FileTransferDeathTest, NoHeadInFrontOfWhatIsNotThereAndNoneThatDoesNotFit) {
  begin(0, 10);
  EXPECT_DEATH(Transfer::put_head(chunks_[0], 1), "there is room for a head");
  ASSERT_EQ(read_all(0), ReadOutcome::Filled);
  EXPECT_DEATH(Transfer::put_head(chunks_[0], kHeadRoom + 1), "there is room for a head");
}

TEST_F(FileTransferDeathTest, NoMoreIsSentThanThereIs) {
  begin(0, 10);
  ASSERT_EQ(read_all(0), ReadOutcome::Filled);
  EXPECT_DEATH((void)transfer_.on_sent(chunks_, 11), "no more is sent than there is");
  EXPECT_EQ(transfer_.on_sent(chunks_, 10), 0);
  EXPECT_DEATH((void)transfer_.on_sent(chunks_, 0), kCheck);
}
