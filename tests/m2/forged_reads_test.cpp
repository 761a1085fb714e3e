// Reads that end in every way: short, late, in any order, with errors, of a file that has changed.

#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/m2/forged_case.hpp"

namespace {

using file_server::BufferState;
using file_server::ServeOptions;
using m2_test::Client;
using m2_test::forged_options;
using m2_test::Operation;
using m2_test::some_bytes;
using m2_test::split;
using uring::IORING_OP_OPENAT2;
using uring::IORING_OP_POLL_ADD;
using uring::IORING_OP_READ;
using uring::IORING_OP_READ_FIXED;
using uring::IORING_OP_RECV;
using uring::IORING_OP_SEND;

constexpr std::size_t kPiece = 4096;

class ForgedReads : public m2_test::ForgedCase {};

}  // namespace

TEST_F(ForgedReads, AFileIsOneReadAndOneSend) {
  const std::string content = some_bytes(1000);
  site_.write("file", content);
  START();
  Client client = server_->connect();
  server_->get(client, "/file");
  EXPECT_EQ(count(client, IORING_OP_RECV), 0U)
      << "nothing is received while an answer is under way";
  server_->open(client);
  const Operation first = server_->take(client, IORING_OP_READ);
  EXPECT_EQ(first.sqe.off, 0U);
  EXPECT_EQ(first.sqe.len, content.size());
  EXPECT_EQ(server_->buffers().count(BufferState::Reading), 1U);
  server_->read(first);
  server_->turn();
  EXPECT_EQ(server_->buffers().count(BufferState::Sending), 1U);
  server_->send(client);
  expect_file(client, content);
  expect_all_buffers_free();
  // The second time it is open already.
  client.received.clear();
  server_->get(client, "/file");
  EXPECT_EQ(count(client, IORING_OP_OPENAT2), 0U);
  read(client);
  server_->send(client);
  expect_file(client, content);
}

TEST_F(ForgedReads, AShortReadGoesOnWhereverItEnded) {
  const std::string content = some_bytes(60);
  site_.write("file", content);
  START();
  Client client = server_->connect();
  for (std::size_t cut = 1; cut < content.size(); ++cut) {
    ask_again(client, "/file");
    read(client, cut);
    EXPECT_EQ(count(client, IORING_OP_SEND), 0U) << "not before the piece is whole";
    const Operation rest = server_->take(client, IORING_OP_READ);
    EXPECT_EQ(rest.sqe.off, cut);
    EXPECT_EQ(rest.sqe.len, content.size() - cut);
    server_->read(rest);
    server_->turn();
    server_->send(client);
    expect_file(client, content);
  }
}

TEST_F(ForgedReads, ErrorsThatPassAreTriedAgain) {
  const std::string content = some_bytes(100);
  site_.write("file", content);
  START();
  Client client = ask("/file");
  for (const int error : {EAGAIN, EINTR}) {
    end(client, IORING_OP_READ, -error);
    EXPECT_EQ(count(client, IORING_OP_READ), 1U);
  }
  read(client, 10);
  end(client, IORING_OP_READ, -EINTR);
  read(client);
  server_->send(client);
  expect_file(client, content);
}

TEST_F(ForgedReads, AnErrorBeforeTheHeadIsAnAnswer) {
  site_.write("file", some_bytes(100));
  START();
  Client client = server_->connect();
  for (const int error : {EIO, ECANCELED, ENOMEM, ESTALE}) {
    ask_again(client, "/file");
    end(client, IORING_OP_READ, -error);
    expect_all_buffers_free();
    server_->send(client);
    EXPECT_EQ(split(client.received).status(), "500") << error;
    expect_waits_for_a_request(client);
  }
}

TEST_F(ForgedReads, AnErrorBehindTheHeadEndsTheConnection) {
  const std::string content = some_bytes(3 * kPiece);
  site_.write("file", content);
  START();
  for (const int error : {EIO, ECANCELED, ENOMEM}) {
    Client client = ask("/file");
    ASSERT_EQ(count(client, IORING_OP_READ), 3U);
    read(client);
    server_->send(client);
    EXPECT_EQ(split(client.received).body.size(), kPiece);
    end(client, IORING_OP_READ, -error);
    end(client, IORING_OP_READ, static_cast<std::int32_t>(kPiece));
    expect_broken_off(client, content);
    expect_all_buffers_free();
  }
}

TEST_F(ForgedReads, AnErrorWhileOtherReadsAreInFlightWaitsForThem) {
  site_.write("file", some_bytes(3 * kPiece));
  START();
  Client client = ask("/file");
  const Operation first = server_->take(client, IORING_OP_READ);
  end(client, IORING_OP_READ, -EIO);
  EXPECT_EQ(count(client, IORING_OP_SEND), 0U);
  EXPECT_EQ(server_->buffers().count(BufferState::Reading), 2U) << "the kernel writes into them";
  server_->read(first);
  server_->turn();
  EXPECT_EQ(count(client, IORING_OP_SEND), 0U);
  read(client);
  expect_all_buffers_free();
  server_->send(client);
  EXPECT_EQ(split(client.received).status(), "500");
  expect_waits_for_a_request(client);
}

TEST_F(ForgedReads, NoBytesBeforeTheHeadAreAnotherTry) {
  const std::string content = some_bytes(100);
  site_.write("file", content);
  START();
  Client client = ask("/file");
  end(client, IORING_OP_READ, 0);
  EXPECT_EQ(count(client, IORING_OP_SEND), 0U);
  read(client);
  server_->send(client);
  expect_file(client, content);
}

TEST_F(ForgedReads, AFileThatNeverGivesWhatItsSizeSaysIsAnError) {
  site_.write("file", some_bytes(100));
  START();
  Client client = ask("/file");
  int reads = 0;
  for (; count(client, IORING_OP_READ) > 0 && reads < 1000; ++reads) {
    end(client, IORING_OP_READ, 0);
  }
  EXPECT_LT(reads, 100);
  server_->send(client);
  EXPECT_EQ(split(client.received).status(), "503");
  expect_waits_for_a_request(client);
}

TEST_F(ForgedReads, NoBytesBehindTheHeadEndTheConnection) {
  const std::string content = some_bytes(2 * kPiece);
  site_.write("file", content);
  START();
  Client client = ask("/file");
  read(client);
  read(client, 100);
  end(client, IORING_OP_READ, 0);
  EXPECT_TRUE(server_->has_closed(client));
  EXPECT_EQ(server_->buffers().count(BufferState::Sending), 1U) << "the kernel's until its CQE";
  end(client, IORING_OP_SEND, -EPIPE);
  server_->turn();
  expect_all_buffers_free();
}

TEST_F(ForgedReads, PiecesThatAreThereInAnyOrderLeaveInTheFilesOrder) {
  const std::string content = some_bytes(4 * kPiece);
  site_.write("file", content);
  START();
  Client client = ask("/file");
  std::vector<Operation> reads;
  while (count(client, IORING_OP_READ) > 0) {
    reads.push_back(server_->take(client, IORING_OP_READ));
  }
  ASSERT_EQ(reads.size(), 4U);
  for (const std::size_t which : {3U, 1U, 2U}) {
    EXPECT_EQ(reads[which].sqe.off, which * kPiece);
    server_->read(reads[which]);
    server_->turn();
    EXPECT_EQ(count(client, IORING_OP_SEND), 0U) << "the first piece is not there";
  }
  server_->read(reads[0]);
  server_->turn();
  for (std::size_t sent = 1; sent <= 4; ++sent) {
    EXPECT_EQ(count(client, IORING_OP_SEND), 1U) << "one at a time";
    server_->send(client);
    EXPECT_EQ(split(client.received).body.size(), sent * kPiece);
  }
  expect_file(client, content);
  expect_all_buffers_free();
}

TEST_F(ForgedReads, ReadsOfOneBatchMayEndInAnyOrderToo) {
  const std::string content = some_bytes(4 * kPiece);
  site_.write("file", content);
  START();
  Client client = ask("/file");
  std::vector<Operation> reads;
  while (count(client, IORING_OP_READ) > 0) {
    reads.push_back(server_->take(client, IORING_OP_READ));
  }
  while (!reads.empty()) {
    server_->read(reads.back());
    reads.pop_back();
  }
  server_->turn();
  while (count(client, IORING_OP_SEND) > 0) {
    server_->send(client);
  }
  expect_file(client, content);
}

TEST_F(ForgedReads, AConnectionHasNoMoreBuffersThanItMay) {
  const std::string content = some_bytes(40 * kPiece);
  site_.write("file", content);
  ServeOptions options = forged_options();
  options.buffers = 16;
  options.read_ahead = 3;
  START(options);
  Client client = ask("/file");
  while (client.received.size() <= content.size()) {
    EXPECT_LE(16 - server_->buffers().count(BufferState::Free), 3);
    if (count(client, IORING_OP_SEND) > 0) {
      server_->send(client);
    } else {
      read(client);
    }
  }
  expect_file(client, content);
}

TEST_F(ForgedReads, RegisteredBuffersAreReadIntoByTheirNumber) {
  const std::string content = some_bytes(2 * kPiece);
  site_.write("file", content);
  ServeOptions options = forged_options();
  options.fixed_buffers = true;
  START(options);
  Client client = ask("/file");
  for (int i = 0; i < 2; ++i) {
    const Operation read = server_->take(client, IORING_OP_READ_FIXED);
    EXPECT_EQ(read.sqe.buf_index, read.id().aux);
    EXPECT_EQ(server_->buffers().state(read.sqe.buf_index), BufferState::Reading);
    server_->read(read);
    server_->turn();
  }
  server_->send(client);
  server_->send(client);
  expect_file(client, content);
}

// --- the file changes -----------------------------------------------------------------------------------

TEST_F(ForgedReads, AFileThatIsCutBeforeTheHeadIsServedAsItIsNow) {
  site_.write("file", some_bytes(1000));
  START();
  Client client = ask("/file");
  const Operation read = server_->take(client, IORING_OP_READ);
  server_->read(read);  // the old bytes
  site_.write("file", "new and short");
  server_->turn();
  EXPECT_EQ(count(client, IORING_OP_SEND), 0U) << "bytes of a version that is gone";
  serve(client, 13);
  expect_file(client, "new and short");
}

TEST_F(ForgedReads, AFileThatIsWrittenToWithTheSameSizeIsServedAsItIsNow) {
  site_.write("file", "old");
  START();
  Client client = ask("/file");
  server_->read(server_->take(client, IORING_OP_READ));
  ::usleep(10'000);  // the kernel's clock for files advances every 4 ms
  site_.write("file", "new");
  server_->turn();
  EXPECT_EQ(count(client, IORING_OP_SEND), 0U);
  serve(client, 3);
  expect_file(client, "new");
}

TEST_F(ForgedReads, AFileThatChangesBehindTheHeadEndsTheConnection) {
  const std::string content = some_bytes(3 * kPiece);
  START();
  for (const bool grows : {false, true}) {
    site_.write("file", content);
    Client client = ask("/file");
    read(client);
    server_->send(client);
    site_.truncate("file", grows ? 4 * kPiece : 2 * kPiece + 5);
    read(client);
    expect_broken_off(client, content);
    EXPECT_EQ(split(client.received).body.size(), kPiece);
  }
}

TEST_F(ForgedReads, AFileThatAnotherIsRenamedOverIsServedToItsEnd) {
  const std::string old = some_bytes(3 * kPiece, 1);
  const std::string now = some_bytes(2 * kPiece, 2);
  site_.write("file", old);
  START();
  Client client = ask("/file");
  read(client);
  site_.replace("file", now);
  serve(client, old.size());
  expect_file(client, old);
  Client next = ask("/file");
  serve(next, now.size());
  expect_file(next, now);
}

// --- the client goes --------------------------------------------------------------------------------------

TEST_F(ForgedReads, BuffersOfAClientThatIsGoneComeBackWithTheirCompletions) {
  site_.write("file", some_bytes(4 * kPiece));
  START();
  Client client = ask("/file");
  read(client);
  end(client, IORING_OP_SEND, -ECONNRESET);
  server_->turn();
  EXPECT_TRUE(server_->has_closed(client));
  EXPECT_EQ(server_->buffers().count(BufferState::Reading), 3U) << "the kernel's until their CQEs";
  EXPECT_EQ(server_->files().counters().files_open, 1U);
  const Client other = server_->connect();
  EXPECT_NE(other.slot, client.slot) << "its memory is in use";
  for (int left = 3; left > 0; --left) {
    EXPECT_EQ(server_->buffers().count(BufferState::Reading), left);
    read(client);
    EXPECT_FALSE(left > 1 && server_->buffers().count(BufferState::Free) == 8);
  }
  expect_all_buffers_free();
  EXPECT_EQ(server_->connect().slot, client.slot);
}

// --- the table of registered files ------------------------------------------------------------------------

TEST_F(ForgedReads, FilesHavePlacesAndThoseBeyondAreReadByTheirDescriptor) {
  for (const char* name : {"a", "b", "c"}) {
    site_.write(name, name);
  }
  ServeOptions options = forged_options();
  options.file_cache = 2;
  START(options, 2);
  const Client a = ask("/a");
  const Client b = ask("/b");
  const Client c = ask("/c");  // nothing can be evicted
  const Operation of_a = server_->take(a, IORING_OP_READ);
  const Operation of_b = server_->take(b, IORING_OP_READ);
  const Operation of_c = server_->take(c, IORING_OP_READ);
  EXPECT_NE(of_a.sqe.flags & uring::IOSQE_FIXED_FILE, 0);
  EXPECT_NE(of_b.sqe.flags & uring::IOSQE_FIXED_FILE, 0);
  EXPECT_NE(of_a.sqe.fd, of_b.sqe.fd);
  EXPECT_EQ(of_c.sqe.flags & uring::IOSQE_FIXED_FILE, 0);
  server_->read(of_c);
  for (const Operation& read : {of_a, of_b}) {
    read.memory()[0] = std::byte{'x'};
    server_->end(read, 1);
  }
  server_->turn();
}

TEST_F(ForgedReads, APlaceIsNotGivenAwayUnderARead) {
  site_.write("a", "a");
  site_.write("b", "b");
  ServeOptions options = forged_options();
  options.file_cache = 1;
  START(options, 1);
  Client a = ask("/a");
  const Operation of_a = server_->take(a, IORING_OP_READ);
  site_.replace("a", "a new one");  // it leaves the cache with the next request
  Client again = ask("/a");
  const Operation of_new = server_->take(again, IORING_OP_READ);
  EXPECT_EQ(of_new.sqe.flags & uring::IOSQE_FIXED_FILE, 0)
      << "the place is the old file's until its answer is over";
  EXPECT_EQ(of_new.sqe.len, 9U);
  of_a.memory()[0] = std::byte{'a'};
  server_->end(of_a, 1);
  server_->turn();
  server_->send(a);
  expect_file(a, "a");
  server_->read(of_new);
  server_->turn();
  server_->send(again);
  expect_file(again, "a new one");
  // Now it is free, for the next file.
  const Client b = ask("/b");
  const Operation of_b = server_->take(b, IORING_OP_READ);
  EXPECT_NE(of_b.sqe.flags & uring::IOSQE_FIXED_FILE, 0);
  server_->end(of_b, -EIO);
}
