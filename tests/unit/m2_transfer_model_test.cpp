// A transfer against a model, at random: whatever the reads give, in whatever order they end, however
// little is sent at a time and however often the buffers are taken away, what is handed to the socket
// is the head and then the file's bytes in their order, each once.

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <random>
#include <string>
#include <string_view>
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

constexpr BufferId kBuffers = 4;
constexpr std::string_view kHead = "the head of the response: ";

// The server's part, with a file in memory, reads that end when the dice say so, and a string for the
// socket.
class Model {
 public:
  explicit Model(unsigned seed) : random_(seed) {
    alignment_ = std::array{1U, 1U, 512U, 4096U}[at_most(3)];
    body_size_ = 4096U << at_most(2);
    file_.resize(at_most(60'000) + 1);
    std::ranges::generate(file_, [&] { return static_cast<char>(random_()); });
    first_ = at_most(file_.size() - 1);
    bytes_ = at_most(file_.size() - first_ - 1) + 1;
    transfer_ = Transfer(first_, bytes_, alignment_, body_size_);
    for (std::string& memory : memories_) {
      memory.resize(BufferPool::kHeadRoom + body_size_);
    }
    free_ = {0, 1, 2, 3};
  }

  void run() {
    for (int step = 0; !(transfer_.done() && text_.empty()); ++step) {
      ASSERT_LT(step, 200'000) << "it does not come to an end";
      switch (at_most(4)) {
        case 0:
          take_buffer();
          break;
        case 1:
        case 2:
          end_a_read();
          break;
        case 3:
          send();
          break;
        default:
          if (at_most(5) == 0) {
            take_all_back();
          }
      }
      if (testing::Test::HasFatalFailure()) {
        return;
      }
    }
    EXPECT_EQ(sent_.size(), kHead.size() + bytes_);
    EXPECT_TRUE(sent_ == std::string(kHead) + file_.substr(first_, bytes_));
    EXPECT_EQ(free_.size(), std::size_t{kBuffers});
  }

 private:
  [[nodiscard]] std::size_t at_most(std::size_t largest) {
    return std::uniform_int_distribution<std::size_t>(0, largest)(random_);
  }

  void take_buffer() {
    if (transfer_.wants_buffer() && !free_.empty()) {
      const BufferId id = free_.back();
      free_.pop_back();
      std::ranges::fill(memories_[id], '?');
      transfer_.add(chunks_, id);
      reading_.push_back(id);
    }
  }

  void end_a_read() {
    if (reading_.empty()) {
      return;
    }
    const std::size_t which = at_most(reading_.size() - 1);
    const BufferId id = reading_[which];
    const std::int32_t res = at_most(9) == 0 && chunks_[id].retries < 5 ? -EINTR : read(id);
    const ReadOutcome outcome = Transfer::on_read(chunks_[id], res);
    if (outcome == ReadOutcome::Filled) {
      reading_.erase(reading_.begin() + static_cast<std::ptrdiff_t>(which));
    } else {
      ASSERT_EQ(outcome, ReadOutcome::Again);
    }
  }

  // What the kernel does: all that was asked for, or less.
  std::int32_t read(BufferId id) {
    const ReadRequest asked = Transfer::next_read(chunks_[id]);
    EXPECT_EQ(asked.offset % alignment_ + asked.size % alignment_ + asked.body_begin % alignment_,
              0U);
    EXPECT_LE(asked.body_begin + asked.size, body_size_);
    EXPECT_LT(asked.offset, file_.size());
    std::size_t given = std::min<std::size_t>(asked.size, file_.size() - asked.offset);
    // A direct read ends between two units only at the end of the file.
    if (const std::size_t units = (given - 1) / alignment_; units > 0 && at_most(2) == 0) {
      given = (at_most(units - 1) + 1) * alignment_;
    }
    std::memcpy(memories_[id].data() + BufferPool::kHeadRoom + asked.body_begin,
                file_.data() + asked.offset, given);
    return static_cast<std::int32_t>(given);
  }

  void send() {
    if (!text_.empty()) {
      const std::size_t taken = at_most(text_.size());
      sent_ += text_.substr(0, taken);
      text_.erase(0, taken);
      return;
    }
    const auto id = transfer_.ready(chunks_);
    if (!id) {
      return;
    }
    Chunk& chunk = chunks_[*id];
    if (!head_written_) {
      Transfer::put_head(chunk, kHead.size());
      kHead.copy(memories_[*id].data() + chunk.send_begin, kHead.size());
      head_written_ = true;
    }
    const std::size_t unsent = chunk.send_end - chunk.send_begin;
    const std::size_t taken =
        at_most(2) == 0 ? at_most(std::min<std::size_t>(unsent, 40)) : at_most(unsent);
    sent_ += memories_[*id].substr(chunk.send_begin, taken);
    if (const auto emptied = transfer_.on_sent(chunks_, static_cast<std::uint32_t>(taken))) {
      free_.push_back(*emptied);
    }
  }

  // Buffers that nothing reads into are taken away, as they are when others wait for them.
  void take_all_back() {
    if (!reading_.empty()) {
      return;
    }
    if (const auto id = transfer_.ready(chunks_); id && chunks_[*id].head_bytes > 0) {
      text_ = memories_[*id].substr(chunks_[*id].send_begin, chunks_[*id].head_bytes);
    }
    transfer_.rewind(chunks_);
    while (const auto id = transfer_.pop(chunks_)) {
      free_.push_back(*id);
    }
  }

  std::mt19937 random_;
  std::uint32_t alignment_ = 1;
  std::uint32_t body_size_ = 0;
  std::string file_;
  std::uint64_t first_ = 0;
  std::uint64_t bytes_ = 0;

  std::array<Chunk, kBuffers> chunks_{};
  std::array<std::string, kBuffers> memories_;
  std::vector<BufferId> free_;
  std::vector<BufferId> reading_;
  Transfer transfer_;
  bool head_written_ = false;
  std::string text_;  // the rest of a head whose buffer was taken back
  std::string sent_;
};

}  // namespace

TEST(FileTransferModel, WhatIsSentIsTheFile) {
  for (unsigned seed = 0; seed < 400 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Model(seed).run();
  }
}
