// The lists of pieces that requests in the submission queue point to.

#include <cstdint>
#include <set>
#include <span>

#include <gtest/gtest.h>

#include "m3_network_server/send_vectors.hpp"

namespace {

using network_server::SendVectors;

}  // namespace

TEST(NetworkSendVectors, AHeadHasThePiecesOfItsOwnRequest) {
  SendVectors vectors(8, 4);
  const std::span<iovec> pieces = vectors.pieces(5);
  ASSERT_EQ(pieces.size(), 4U);
  char text[] = "abcdef";
  pieces[0] = {.iov_base = text, .iov_len = 2};
  pieces[1] = {.iov_base = text + 2, .iov_len = 4};
  const msghdr* head = vectors.head(5, 2);
  EXPECT_EQ(head->msg_iov, pieces.data());
  EXPECT_EQ(head->msg_iovlen, 2U);
  EXPECT_EQ(head->msg_iov[1].iov_base, text + 2);
  EXPECT_EQ(head->msg_name, nullptr);
  EXPECT_EQ(head->msg_namelen, 0U);
  EXPECT_EQ(head->msg_control, nullptr);
  EXPECT_EQ(head->msg_controllen, 0U);
}

TEST(NetworkSendVectors, RequestsThatAreInTheQueueTogetherShareNothing) {
  constexpr std::uint32_t kEntries = 16;
  constexpr std::uint16_t kPieces = 3;
  SendVectors vectors(kEntries, kPieces);
  // The index runs on for ever, over 2^32, too.
  for (const std::uint32_t first : {0U, 5U, 0xffff'fff8U}) {
    std::set<const void*> places;
    for (std::uint32_t i = 0; i < kEntries; ++i) {
      places.insert(vectors.head(first + i, kPieces));
      for (iovec& piece : vectors.pieces(first + i)) {
        piece = {};
        places.insert(&piece);
      }
    }
    EXPECT_EQ(places.size(), kEntries * (kPieces + 1U));
  }
}

TEST(NetworkSendVectors, APlaceIsUsedAgainByTheRequestThatHasItNext) {
  SendVectors vectors(16, 1);
  EXPECT_EQ(vectors.head(3, 1), vectors.head(3 + 16, 1));
  EXPECT_EQ(vectors.pieces(0xffff'ffffU).data(), vectors.pieces(15).data());
}
