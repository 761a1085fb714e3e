// The file server's buffers: whose each one is, and that no other order of things is possible.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "m2_file_server/buffer_pool.hpp"

namespace {

using file_server::BufferId;
using file_server::BufferPool;
using file_server::BufferState;

constexpr std::uint16_t kCount = 3;
constexpr std::size_t kBodySize = 8192;
constexpr const char* kCheck = "CHECK\\(.*\\) failed";

class FileBuffers : public testing::Test {
 protected:
  void SetUp() override {
    auto made = BufferPool::create(kCount, kBodySize);
    ASSERT_TRUE(made);
    pool_.emplace(std::move(*made));
  }

  // A buffer in this state.
  [[nodiscard]] BufferId buffer_in(BufferState state) {
    const BufferId id = pool_->acquire().value();
    if (state == BufferState::Free) {
      pool_->release(id);
    } else if (state != BufferState::Held) {
      pool_->begin(id, state);
    }
    return id;
  }

  void expect_counts(std::uint16_t free, std::uint16_t held, std::uint16_t reading,
                     std::uint16_t sending) const {
    EXPECT_EQ(pool_->count(BufferState::Free), free);
    EXPECT_EQ(pool_->count(BufferState::Held), held);
    EXPECT_EQ(pool_->count(BufferState::Reading), reading);
    EXPECT_EQ(pool_->count(BufferState::Sending), sending);
  }

  std::optional<BufferPool> pool_;
};

using FileBuffersDeathTest = FileBuffers;
constexpr const char* kLent = "lent to the kernel once at a time";

}  // namespace

TEST_F(FileBuffers, EachIsHandedOutOnceAndThenNone) {
  std::set<BufferId> ids;
  for (std::uint16_t i = 0; i < kCount; ++i) {
    const auto id = pool_->acquire();
    ASSERT_TRUE(id);
    EXPECT_LT(*id, kCount);
    EXPECT_TRUE(ids.insert(*id).second);
  }
  EXPECT_EQ(pool_->acquire(), std::nullopt);
  EXPECT_EQ(pool_->size(), kCount);
  expect_counts(0, 3, 0, 0);
}

TEST_F(FileBuffers, TheOneUsedLastIsTheNext) {
  const BufferId first = pool_->acquire().value();
  const BufferId second = pool_->acquire().value();
  pool_->release(first);
  pool_->release(second);
  EXPECT_EQ(pool_->acquire(), second);
  EXPECT_EQ(pool_->acquire(), first);
}

TEST_F(FileBuffers, TheCountsFollowEachStep) {
  expect_counts(3, 0, 0, 0);
  const BufferId id = pool_->acquire().value();
  expect_counts(2, 1, 0, 0);
  pool_->begin(id, BufferState::Reading);
  expect_counts(2, 0, 1, 0);
  EXPECT_EQ(pool_->state(id), BufferState::Reading);
  pool_->end(id, BufferState::Reading);
  pool_->begin(id, BufferState::Reading);  // the rest of a short read
  pool_->end(id, BufferState::Reading);
  pool_->begin(id, BufferState::Sending);
  expect_counts(2, 0, 0, 1);
  pool_->end(id, BufferState::Sending);
  expect_counts(2, 1, 0, 0);
  pool_->release(id);
  expect_counts(3, 0, 0, 0);
}

TEST_F(FileBuffers, TheMemoryOfEachIsItsOwnAndBodiesBeginAtAPage) {
  std::vector<BufferId> ids;
  while (const auto id = pool_->acquire()) {
    ids.push_back(*id);
  }
  for (const BufferId id : ids) {
    EXPECT_EQ(pool_->memory(id).size(), BufferPool::kHeadRoom + kBodySize);
    EXPECT_EQ(pool_->body(id).size(), kBodySize);
    EXPECT_EQ(pool_->body(id).data(), pool_->memory(id).data() + BufferPool::kHeadRoom);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(pool_->body(id).data()) % 4096, 0U);
    std::ranges::fill(pool_->memory(id), static_cast<std::byte>(id + 1));
  }
  for (const BufferId id : ids) {
    for (const std::byte byte : pool_->memory(id)) {
      ASSERT_EQ(byte, static_cast<std::byte>(id + 1));
    }
  }
}

TEST_F(FileBuffers, AreNotRegisteredUntilToldTo) {
  EXPECT_FALSE(pool_->registered());
}

// Every step that the picture in buffer_pool.hpp does not have.

TEST_F(FileBuffersDeathTest, OnlyAHeldOneCanBeLent) {
  for (const BufferState use : {BufferState::Reading, BufferState::Sending}) {
    for (const BufferState state :
         {BufferState::Free, BufferState::Reading, BufferState::Sending}) {
      EXPECT_DEATH(pool_->begin(buffer_in(state), use), kLent);
    }
  }
}

TEST_F(FileBuffersDeathTest, OnlyALentOneCanComeBack) {
  EXPECT_DEATH(pool_->end(buffer_in(BufferState::Free), BufferState::Reading), kLent);
  EXPECT_DEATH(pool_->end(buffer_in(BufferState::Free), BufferState::Sending), kLent);
  EXPECT_DEATH(pool_->end(buffer_in(BufferState::Held), BufferState::Reading), kLent);
  EXPECT_DEATH(pool_->end(buffer_in(BufferState::Held), BufferState::Sending), kLent);
}

TEST_F(FileBuffersDeathTest, ItComesBackFromWhatItWasLentFor) {
  EXPECT_DEATH(pool_->end(buffer_in(BufferState::Reading), BufferState::Sending), kLent);
  EXPECT_DEATH(pool_->end(buffer_in(BufferState::Sending), BufferState::Reading), kLent);
}

TEST_F(FileBuffersDeathTest, OnlyAHeldOneCanBeReleased) {
  for (const BufferState state : {BufferState::Free, BufferState::Reading, BufferState::Sending}) {
    EXPECT_DEATH(pool_->release(buffer_in(state)), kLent);
  }
}

TEST_F(FileBuffersDeathTest, OnlyAHeldOneCanBeLookedAt) {
  for (const BufferState state : {BufferState::Free, BufferState::Reading, BufferState::Sending}) {
    EXPECT_DEATH((void)pool_->memory(buffer_in(state)), "the kernel's until its CQE");
    EXPECT_DEATH((void)pool_->body(buffer_in(state)), "the kernel's until its CQE");
  }
}

TEST_F(FileBuffersDeathTest, ALoanIsForReadingOrForSending) {
  EXPECT_DEATH(pool_->begin(buffer_in(BufferState::Held), BufferState::Free), kCheck);
  EXPECT_DEATH(pool_->begin(buffer_in(BufferState::Held), BufferState::Held), kCheck);
  EXPECT_DEATH(pool_->end(buffer_in(BufferState::Held), BufferState::Held), kCheck);
  EXPECT_DEATH(pool_->end(buffer_in(BufferState::Free), BufferState::Free), kCheck);
}

TEST_F(FileBuffersDeathTest, AnotherNumberIsNoBuffer) {
  EXPECT_DEATH(pool_->release(kCount), kLent);
  EXPECT_DEATH(pool_->begin(file_server::kNoBuffer, BufferState::Reading), kLent);
}

TEST_F(FileBuffersDeathTest, BodiesAreWholePagesAndThereIsOne) {
  EXPECT_DEATH((void)BufferPool::create(0, 4096), kCheck);
  EXPECT_DEATH((void)BufferPool::create(1, 0), kCheck);
  EXPECT_DEATH((void)BufferPool::create(1, 4097), kCheck);
  EXPECT_DEATH((void)BufferPool::create(file_server::kNoBuffer, 4096), kCheck);
}
