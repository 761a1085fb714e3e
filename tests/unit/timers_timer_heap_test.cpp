#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "common/timers/timer_heap.hpp"

namespace {

using timers::TimerHandle;
using timers::TimerHeap;

constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

TimerHandle must_add(TimerHeap& heap, std::uint64_t deadline_ns, std::uint64_t payload) {
  const auto handle = heap.add(deadline_ns, payload);
  EXPECT_TRUE(handle.has_value());
  return handle.value_or(TimerHandle{});
}

std::vector<std::uint64_t> pop_all(TimerHeap& heap, std::uint64_t now_ns) {
  std::vector<std::uint64_t> payloads;
  while (const auto expired = heap.pop_expired(now_ns)) {
    payloads.push_back(expired->payload);
  }
  return payloads;
}

TEST(TimerHeap, IsEmptyAtFirst) {
  TimerHeap heap(4);
  EXPECT_EQ(heap.size(), 0u);
  EXPECT_EQ(heap.capacity(), 4u);
  EXPECT_EQ(heap.next_deadline(), std::nullopt);
  EXPECT_FALSE(heap.pop_expired(kNever).has_value());
}

TEST(TimerHeap, ExpiresAtTheDeadlineAndNotBefore) {
  TimerHeap heap(4);
  must_add(heap, 100, 0xfedcba9876543210);
  EXPECT_EQ(heap.next_deadline(), 100u);
  EXPECT_FALSE(heap.pop_expired(99).has_value());
  const auto expired = heap.pop_expired(100);
  ASSERT_TRUE(expired.has_value());
  EXPECT_EQ(expired->payload, 0xfedcba9876543210u);
  EXPECT_EQ(expired->deadline_ns, 100u);
  EXPECT_EQ(heap.size(), 0u);
}

TEST(TimerHeap, AThousandTimersExpireInTheOrderOfTheirDeadlines) {
  constexpr std::size_t kTimers = 1000;
  TimerHeap heap(kTimers);
  std::mt19937_64 random(1);
  for (std::size_t i = 0; i < kTimers; ++i) {
    const std::uint64_t deadline_ns = random();
    must_add(heap, deadline_ns, deadline_ns);
  }
  const auto payloads = pop_all(heap, kNever);
  ASSERT_EQ(payloads.size(), kTimers);
  EXPECT_TRUE(std::is_sorted(payloads.begin(), payloads.end()));
}

TEST(TimerHeap, EqualDeadlinesExpireInTheOrderAdded) {
  constexpr std::uint64_t kTimers = 100;
  TimerHeap heap(kTimers);
  for (std::uint64_t i = 0; i < kTimers; ++i) {
    must_add(heap, 7, i);
  }
  const auto payloads = pop_all(heap, 7);
  ASSERT_EQ(payloads.size(), kTimers);
  EXPECT_TRUE(std::is_sorted(payloads.begin(), payloads.end()));
}

TEST(TimerHeap, UpdateMovesATimerBothWays) {
  TimerHeap heap(4);
  const TimerHandle a = must_add(heap, 10, 'a');
  must_add(heap, 20, 'b');
  const TimerHandle c = must_add(heap, 30, 'c');
  EXPECT_TRUE(heap.update(c, 5));
  EXPECT_EQ(heap.next_deadline(), 5u);
  EXPECT_TRUE(heap.update(a, 40));
  EXPECT_EQ(pop_all(heap, kNever), (std::vector<std::uint64_t>{'c', 'b', 'a'}));
}

TEST(TimerHeap, AnUpdatedTimerIsTheNewestOfItsEquals) {
  TimerHeap heap(4);
  const TimerHandle a = must_add(heap, 10, 'a');
  must_add(heap, 20, 'b');
  EXPECT_TRUE(heap.update(a, 20));
  EXPECT_EQ(pop_all(heap, kNever), (std::vector<std::uint64_t>{'b', 'a'}));
}

TEST(TimerHeap, AHandleIsStaleOnceItsTimerHasGone) {
  TimerHeap heap(4);
  const TimerHandle cancelled = must_add(heap, 1, 1);
  EXPECT_TRUE(heap.cancel(cancelled));
  EXPECT_FALSE(heap.cancel(cancelled));
  EXPECT_FALSE(heap.update(cancelled, 5));

  const TimerHandle expired = must_add(heap, 1, 2);
  EXPECT_TRUE(heap.pop_expired(1).has_value());
  EXPECT_FALSE(heap.cancel(expired));
  EXPECT_FALSE(heap.update(expired, 5));
  EXPECT_EQ(heap.size(), 0u);
}

TEST(TimerHeap, AStaleHandleDoesNotTouchTheSlotsNextTimer) {
  TimerHeap heap(1);  // so that the slot is used again
  const TimerHandle old_one = must_add(heap, 1, 1);
  EXPECT_TRUE(heap.cancel(old_one));
  const TimerHandle new_one = must_add(heap, 2, 2);
  EXPECT_EQ(new_one.slot, old_one.slot);
  EXPECT_NE(new_one, old_one);
  EXPECT_FALSE(heap.cancel(old_one));
  EXPECT_FALSE(heap.update(old_one, 99));
  EXPECT_EQ(heap.next_deadline(), 2u);
  EXPECT_TRUE(heap.cancel(new_one));
}

TEST(TimerHeap, TheDefaultHandleAndOneFromElsewhereNameNothing) {
  TimerHeap heap(2);
  must_add(heap, 1, 1);
  EXPECT_FALSE(heap.cancel(TimerHandle{}));
  EXPECT_FALSE(heap.cancel(TimerHandle{.slot = 1'000'000, .generation = 1}));
  EXPECT_EQ(heap.size(), 1u);
}

TEST(TimerHeap, AFullHeapRefusesAndTakesAgainWhenThereIsRoom) {
  TimerHeap heap(2);
  const TimerHandle first = must_add(heap, 1, 1);
  must_add(heap, 2, 2);
  EXPECT_FALSE(heap.add(0, 3).has_value());
  EXPECT_EQ(heap.size(), 2u);
  EXPECT_EQ(heap.next_deadline(), 1u);
  EXPECT_TRUE(heap.cancel(first));
  EXPECT_TRUE(heap.add(0, 3).has_value());

  TimerHeap none(0);
  EXPECT_FALSE(none.add(0, 0).has_value());
}

// Against the same operations on a multimap, which keeps equal keys in the order of insertion.
class Model {
 public:
  using Map = std::multimap<std::uint64_t, std::uint64_t>;

  void add(std::uint64_t deadline_ns, std::uint64_t payload) {
    by_payload_[payload] = by_deadline_.emplace(deadline_ns, payload);
  }
  bool cancel(std::uint64_t payload) {
    const auto found = by_payload_.find(payload);
    if (found == by_payload_.end()) {
      return false;
    }
    by_deadline_.erase(found->second);
    by_payload_.erase(found);
    return true;
  }
  bool update(std::uint64_t payload, std::uint64_t deadline_ns) {
    if (!cancel(payload)) {
      return false;
    }
    add(deadline_ns, payload);
    return true;
  }
  std::optional<std::pair<std::uint64_t, std::uint64_t>> pop_expired(std::uint64_t now_ns) {
    const auto first = by_deadline_.begin();
    if (first == by_deadline_.end() || first->first > now_ns) {
      return std::nullopt;
    }
    const std::pair<std::uint64_t, std::uint64_t> popped = *first;
    by_payload_.erase(popped.second);
    by_deadline_.erase(first);
    return popped;
  }
  [[nodiscard]] std::size_t size() const { return by_deadline_.size(); }
  [[nodiscard]] std::optional<std::uint64_t> next_deadline() const {
    return by_deadline_.empty() ? std::nullopt : std::optional(by_deadline_.begin()->first);
  }

 private:
  Map by_deadline_;
  std::map<std::uint64_t, Map::iterator> by_payload_;
};

class TimerHeapModelTest : public testing::TestWithParam<unsigned> {};

TEST_P(TimerHeapModelTest, BehavesLikeAMultimap) {
  constexpr std::size_t kCapacity = 64;
  constexpr int kOperations = 20'000;
  std::mt19937 random(GetParam());
  const auto below = [&](std::size_t limit) { return random() % limit; };

  TimerHeap heap(kCapacity);
  Model model;
  std::vector<TimerHandle> handles;  // of every timer there ever was; its index is the payload
  std::uint64_t now_ns = 0;
  int refused = 0;
  int popped = 0;
  int stale = 0;
  for (int i = 0; i < kOperations; ++i) {
    const std::uint64_t deadline_ns = now_ns + below(50);  // few values: many ties
    const std::uint64_t recent =
        handles.empty() ? 0
                        : handles.size() - 1 - below(std::min<std::size_t>(handles.size(), 200));
    switch (below(5)) {
      case 0:
      case 1: {
        const auto handle = heap.add(deadline_ns, handles.size());
        ASSERT_EQ(handle.has_value(), model.size() < kCapacity);
        if (handle) {
          model.add(deadline_ns, handles.size());
          handles.push_back(*handle);
        } else {
          ++refused;
        }
        break;
      }
      case 2:
        if (!handles.empty()) {
          const bool cancelled = heap.cancel(handles[recent]);
          ASSERT_EQ(cancelled, model.cancel(recent));
          stale += cancelled ? 0 : 1;
        }
        break;
      case 3:
        if (!handles.empty()) {
          ASSERT_EQ(heap.update(handles[recent], deadline_ns), model.update(recent, deadline_ns));
        }
        break;
      default: {
        now_ns += below(4);
        const auto expired = heap.pop_expired(now_ns);
        const auto expected = model.pop_expired(now_ns);
        ASSERT_EQ(expired.has_value(), expected.has_value());
        if (expired) {
          ASSERT_EQ(expired->deadline_ns, expected->first);
          ASSERT_EQ(expired->payload, expected->second);
          ++popped;
        }
        break;
      }
    }
    ASSERT_EQ(heap.size(), model.size());
    ASSERT_EQ(heap.next_deadline(), model.next_deadline());
  }
  // The run went through all the cases it is there for.
  EXPECT_GT(refused, 0);
  EXPECT_GT(popped, 0);
  EXPECT_GT(stale, 0);
}

INSTANTIATE_TEST_SUITE_P(Seeds, TimerHeapModelTest, testing::Values(1u, 2u, 3u, 4u));

TEST(NextRepeat, OnTimeIsOneInterval) {
  const auto step = timers::next_repeat(1000, 100, 1000);
  EXPECT_EQ(step.next_deadline_ns, 1100u);
  EXPECT_EQ(step.expirations, 1u);
}

TEST(NextRepeat, LatenessDoesNotMoveTheGrid) {
  const auto step = timers::next_repeat(1000, 100, 1099);
  EXPECT_EQ(step.next_deadline_ns, 1100u);
  EXPECT_EQ(step.expirations, 1u);
}

TEST(NextRepeat, MissedDeadlinesAreCounted) {
  const auto exactly = timers::next_repeat(1000, 100, 1100);
  EXPECT_EQ(exactly.next_deadline_ns, 1200u);
  EXPECT_EQ(exactly.expirations, 2u);

  const auto far = timers::next_repeat(1000, 100, 1570);
  EXPECT_EQ(far.next_deadline_ns, 1600u);
  EXPECT_EQ(far.expirations, 6u);
}

TEST(NextRepeat, StopsAtTheEndOfTime) {
  const auto step = timers::next_repeat(kNever - 5, 100, kNever - 5);
  EXPECT_EQ(step.next_deadline_ns, kNever);
  EXPECT_EQ(step.expirations, 1u);
}

TEST(NextRepeatDeathTest, RefusesAnIntervalOfZeroAndADeadlineToCome) {
  EXPECT_DEATH((void)timers::next_repeat(0, 0, 1), "interval_ns > 0");
  EXPECT_DEATH((void)timers::next_repeat(2, 1, 1), "has not expired");
}

// A clock that is noticed late by a random amount each time, sometimes by many intervals: after any
// time, as many expirations have been counted as intervals have passed.
TEST(NextRepeat, ARepeatingTimerOnTheHeapDoesNotDrift) {
  constexpr std::uint64_t kInterval_ns = 1000;
  constexpr std::uint64_t kStart_ns = 123;
  TimerHeap heap(1);
  must_add(heap, kStart_ns + kInterval_ns, 0);
  std::mt19937 random(7);
  std::uint64_t expirations = 0;
  std::uint64_t now_ns = kStart_ns;
  for (int i = 0; i < 10'000; ++i) {
    now_ns = *heap.next_deadline() + random() % (i % 10 == 0 ? 5000 : 300);
    const auto expired = heap.pop_expired(now_ns);
    ASSERT_TRUE(expired.has_value());
    const auto step = timers::next_repeat(expired->deadline_ns, kInterval_ns, now_ns);
    expirations += step.expirations;
    ASSERT_EQ(expirations, (now_ns - kStart_ns) / kInterval_ns);
    ASSERT_EQ((step.next_deadline_ns - kStart_ns) % kInterval_ns, 0u);
    ASSERT_GT(step.next_deadline_ns, now_ns);
    must_add(heap, step.next_deadline_ns, 0);
  }
}

}  // namespace
