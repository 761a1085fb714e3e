// The chains of received buffers, each step alone and then against a model at random.

#include <algorithm>
#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "m3_network_server/buffer_chains.hpp"

namespace {

using network_server::BufferChain;
using network_server::BufferChains;
using network_server::kNoBuffer;

using Pieces = std::vector<std::tuple<std::uint16_t, std::uint32_t, std::uint32_t>>;

Pieces pieces(const BufferChains& chains, const BufferChain& chain, std::uint16_t count) {
  Pieces found;
  chains.for_each(chain, count, [&](std::uint16_t id, std::uint32_t offset, std::uint32_t bytes) {
    found.emplace_back(id, offset, bytes);
  });
  return found;
}

std::vector<std::uint16_t> consume(BufferChains& chains, BufferChain& chain, std::size_t bytes) {
  std::vector<std::uint16_t> emptied;
  chains.consume(chain, bytes, [&](std::uint16_t id) { emptied.push_back(id); });
  return emptied;
}

using Ids = std::vector<std::uint16_t>;

}  // namespace

TEST(NetworkBufferChains, BuffersComeOutInTheOrderInWhichTheyWereReceived) {
  BufferChains chains(8);
  BufferChain chain;
  EXPECT_TRUE(chain.empty());
  chains.push_back(chain, 7, 100);
  chains.push_back(chain, 0, 1);
  chains.push_back(chain, 3, 4096);
  EXPECT_EQ(chain.count, 3);
  EXPECT_EQ(pieces(chains, chain, 3), (Pieces{{7, 0, 100}, {0, 0, 1}, {3, 0, 4096}}));
  EXPECT_EQ(pieces(chains, chain, 2), (Pieces{{7, 0, 100}, {0, 0, 1}}));
  EXPECT_EQ(pieces(chains, chain, 0), Pieces{});
  EXPECT_EQ(chains.unsent_bytes(chain, 3), 4197U);
  EXPECT_EQ(chains.unsent_bytes(chain, 1), 100U);
  EXPECT_EQ(chains.pop_front(chain), 7);
  EXPECT_EQ(chains.pop_front(chain), 0);
  EXPECT_EQ(chains.pop_front(chain), 3);
  EXPECT_TRUE(chain.empty());
}

TEST(NetworkBufferChains, WhatWasSentEndsAnywhere) {
  for (std::size_t cut = 0; cut <= 9; ++cut) {
    SCOPED_TRACE(cut);
    BufferChains chains(4);
    BufferChain chain;
    const Ids order{2, 0, 1};
    for (const std::uint16_t id : order) {
      chains.push_back(chain, id, 3);
    }
    const auto whole = static_cast<std::uint16_t>(cut / 3);
    EXPECT_EQ(consume(chains, chain, cut), Ids(order.begin(), order.begin() + whole));
    EXPECT_EQ(chain.count, 3 - whole);
    EXPECT_EQ(chains.unsent_bytes(chain, chain.count), 9 - cut);
    if (cut < 9) {
      const auto offset = static_cast<std::uint32_t>(cut % 3);
      EXPECT_EQ(pieces(chains, chain, 1), (Pieces{{order[whole], offset, 3 - offset}}));
    }
    EXPECT_EQ(consume(chains, chain, 9 - cut), Ids(order.begin() + whole, order.end()));
    EXPECT_TRUE(chain.empty());
  }
}

TEST(NetworkBufferChains, ABufferThatIsTakenOutHalfSentLeavesNothingToTheNext) {
  BufferChains chains(2);
  BufferChain chain;
  chains.push_back(chain, 0, 10);
  chains.push_back(chain, 1, 20);
  EXPECT_EQ(consume(chains, chain, 4), Ids{});
  EXPECT_EQ(chains.pop_front(chain), 0);
  EXPECT_EQ(pieces(chains, chain, 1), (Pieces{{1, 0, 20}}));
}

TEST(NetworkBufferChains, AnEmptiedChainBeginsAnew) {
  BufferChains chains(2);
  BufferChain chain;
  for (int round = 0; round < 3; ++round) {
    chains.push_back(chain, 1, 5);
    chains.push_back(chain, 0, 5);
    EXPECT_EQ(consume(chains, chain, 7), Ids{1});
    EXPECT_EQ(consume(chains, chain, 3), Ids{0});
  }
  EXPECT_EQ(chain.first, kNoBuffer);
  EXPECT_EQ(chain.last, kNoBuffer);
}

TEST(NetworkBufferChainsDeathTest, WhatMustNotBe) {
  BufferChains chains(2);
  BufferChain chain;
  BufferChain other;
  chains.push_back(chain, 0, 5);
  EXPECT_DEATH(chains.push_back(other, 0, 5), "one chain at a time") << "somebody else's bytes";
  EXPECT_DEATH(chains.push_back(other, 1, 0), "a buffer with bytes")
      << "nothing would ever empty it";
  EXPECT_DEATH(consume(chains, chain, 6), "no more is sent than there was");
  EXPECT_DEATH(chains.pop_front(other), "");
}

// Three connections over eight buffers. What the chains say is what deques of deques would say.
TEST(NetworkBufferChains, AtRandomTheyAreWhatAListWouldBe) {
  struct Piece {
    std::uint16_t id;
    std::uint32_t bytes;
    std::uint32_t sent = 0;
  };
  std::mt19937 random(3);
  const auto at_most = [&](std::size_t largest) {
    return std::uniform_int_distribution<std::size_t>(0, largest)(random);
  };
  BufferChains chains(8);
  std::vector<BufferChain> connections(3);
  std::vector<std::deque<Piece>> model(3);
  Ids free{0, 1, 2, 3, 4, 5, 6, 7};
  for (int step = 0; step < 50'000 && !HasFailure(); ++step) {
    const std::size_t which = at_most(2);
    BufferChain& chain = connections[which];
    std::deque<Piece>& expected = model[which];
    if (at_most(1) == 0 && !free.empty()) {
      const std::size_t index = at_most(free.size() - 1);
      const std::uint16_t id = free[index];
      free.erase(free.begin() + static_cast<std::ptrdiff_t>(index));
      expected.push_back({.id = id, .bytes = static_cast<std::uint32_t>(at_most(5) + 1)});
      chains.push_back(chain, id, expected.back().bytes);
    } else {
      std::size_t unsent = 0;
      for (const Piece& piece : expected) {
        unsent += piece.bytes - piece.sent;
      }
      ASSERT_EQ(chains.unsent_bytes(chain, chain.count), unsent);
      const std::size_t sent = at_most(unsent);
      Ids emptied;
      for (std::size_t left = sent; left > 0;) {
        Piece& first = expected.front();
        const auto taken =
            static_cast<std::uint32_t>(std::min<std::size_t>(left, first.bytes - first.sent));
        first.sent += taken;
        left -= taken;
        if (first.sent == first.bytes) {
          emptied.push_back(first.id);
          expected.pop_front();
        }
      }
      ASSERT_EQ(consume(chains, chain, sent), emptied);
      free.insert(free.end(), emptied.begin(), emptied.end());
    }
    ASSERT_EQ(chain.count, expected.size());
    Pieces all;
    for (const Piece& piece : expected) {
      all.emplace_back(piece.id, piece.sent, piece.bytes - piece.sent);
    }
    ASSERT_EQ(pieces(chains, chain, chain.count), all);
  }
}
