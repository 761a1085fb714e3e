// What connections have in common, and the pool that keeps them.

#include <cstddef>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "docs/epoll_reference/server/connection.hpp"
#include "docs/epoll_reference/server/connection_pool.hpp"

using epoll_reference::Connection;
using epoll_reference::ConnectionPool;

namespace {

// Counts how many of its kind are there, and remembers what it was made of.
struct Counted {
  static inline int alive = 0;

  Counted() : Counted(0) {}
  explicit Counted(int value) : made_of(value) { ++alive; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --alive; }

  int made_of;
};

}  // namespace

TEST(ServerConnection, ExpiresAtTheEarlierOfSilenceAndDeadline) {
  Connection connection;
  connection.active_ns = 1000;
  EXPECT_EQ(connection.expires_at_ns(), 0U) << "without limits: never";
  connection.idle_timeout_ns = 50;
  EXPECT_EQ(connection.expires_at_ns(), 1050U);
  connection.deadline_ns = 1049;
  EXPECT_EQ(connection.expires_at_ns(), 1049U);
  connection.deadline_ns = 1051;
  EXPECT_EQ(connection.expires_at_ns(), 1050U);
  connection.active_ns = 1010;
  EXPECT_EQ(connection.expires_at_ns(), 1051U) << "activity moves the idle end, not the deadline";
  connection.idle_timeout_ns = 0;
  EXPECT_EQ(connection.expires_at_ns(), 1051U);
}

TEST(ServerConnectionPool, GivesEachItsOwnPlaceAndUsesPlacesAgain) {
  constexpr std::size_t kMany = 1000;
  ConnectionPool<Counted> pool;
  std::set<Counted*> places;
  for (std::size_t i = 0; i < kMany; ++i) {
    Counted& object = pool.make(7);
    EXPECT_EQ(object.made_of, 7);
    EXPECT_TRUE(places.insert(&object).second);
  }
  for (Counted* object : places) {
    pool.recycle(*object);
  }
  const int allocated = Counted::alive;
  for (std::size_t i = 0; i < kMany; ++i) {
    EXPECT_TRUE(places.contains(&pool.make(static_cast<int>(i))));
  }
  EXPECT_EQ(Counted::alive, allocated) << "no new chunk";
}

TEST(ServerConnectionPool, MakesAFreshOneOfAUsedPlace) {
  ConnectionPool<Counted> pool;
  Counted& first = pool.make(1);
  first.made_of = 99;
  pool.recycle(first);
  Counted& second = pool.make(2);
  EXPECT_EQ(&second, &first) << "the place that is warm";
  EXPECT_EQ(second.made_of, 2);
}

TEST(ServerConnectionPool, DestroysAllAtItsEnd) {
  ASSERT_EQ(Counted::alive, 0);
  {
    ConnectionPool<Counted> pool;
    Counted& recycled = pool.make(1);
    (void)pool.make(2);
    pool.recycle(recycled);
    EXPECT_GT(Counted::alive, 0);
  }
  EXPECT_EQ(Counted::alive, 0);
}
