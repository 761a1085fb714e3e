// The wait for room in a socket: by a poll, and by the clock where the poll says nothing of use.

#include <poll.h>

#include <cerrno>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "common/server/room_wait.hpp"

namespace {

using server::RoomWait;
using Next = server::RoomWait::Next;

constexpr std::uint32_t kSlot = 5;
constexpr std::uint8_t kKind = 40;
constexpr std::uint64_t kMs = 1'000'000;

// What RoomWait asks of a server.
struct FakeServer {
  struct Connection {
    int fd = 11;
  };
  Connection one;
  uring::io_uring_sqe sqe{};
  std::uint8_t armed_kind = 0;
  bool is_direct = false;
  bool open = true;
  std::uint64_t now_ns = 1000;
  std::vector<std::uint64_t> waits_ns;

  Connection& connection(std::uint32_t /*slot*/) { return one; }
  uring::io_uring_sqe& arm(std::uint32_t /*slot*/, std::uint8_t kind) {
    armed_kind = kind;
    return sqe;
  }
  void use_socket(uring::io_uring_sqe& used) const {
    used.flags |= is_direct ? uring::IOSQE_FIXED_FILE : std::uint8_t{0};
  }
  [[nodiscard]] bool is_open(std::uint32_t /*slot*/) const { return open; }
  [[nodiscard]] std::uint64_t turn_ns() const { return now_ns; }
  void set_deadline(std::uint32_t /*slot*/, std::uint64_t deadline_ns) {
    waits_ns.push_back(deadline_ns - now_ns);
  }
};

TEST(RoomWait, BeginsWithAPollOfTheSocket) {
  FakeServer fake;
  fake.is_direct = true;
  RoomWait wait;
  EXPECT_FALSE(wait.waiting());
  wait.begin(fake, kSlot, kKind);
  EXPECT_TRUE(wait.waiting());
  EXPECT_TRUE(wait.polling());
  EXPECT_EQ(fake.armed_kind, kKind);
  EXPECT_EQ(fake.sqe.opcode, uring::IORING_OP_POLL_ADD);
  EXPECT_EQ(fake.sqe.fd, 11);
  EXPECT_EQ(fake.sqe.poll32_events, static_cast<std::uint32_t>(POLLOUT));
  EXPECT_EQ(fake.sqe.flags, uring::IOSQE_FIXED_FILE);
}

TEST(RoomWait, IsOverWhenThePollHasSomethingToSayOfSending) {
  for (const int events : {POLLOUT, POLLERR, POLLHUP, POLLOUT | POLLRDHUP}) {
    FakeServer fake;
    RoomWait wait;
    wait.begin(fake, kSlot, kKind);
    EXPECT_EQ(wait.on_polled(fake, kSlot, events), Next::Send) << events;
    EXPECT_FALSE(wait.waiting());
    EXPECT_TRUE(fake.waits_ns.empty());
  }
}

TEST(RoomWait, OfAClientThatHasShutDownItsSideGoesByTheClockAndLongerEachTime) {
  FakeServer fake;
  RoomWait wait;
  for (int i = 0; i < 9; ++i) {
    wait.begin(fake, kSlot, kKind);
    EXPECT_EQ(wait.on_polled(fake, kSlot, POLLRDHUP), Next::Wait);
    EXPECT_TRUE(wait.waiting());
    EXPECT_FALSE(wait.polling()) << "there is nothing to cancel";
    wait.end();
    EXPECT_FALSE(wait.waiting());
  }
  EXPECT_EQ(fake.waits_ns, (std::vector<std::uint64_t>{kMs, 2 * kMs, 4 * kMs, 8 * kMs, 16 * kMs,
                                                       32 * kMs, 64 * kMs, 128 * kMs, 128 * kMs}));
  wait.note_sent();
  wait.begin(fake, kSlot, kKind);
  EXPECT_EQ(wait.on_polled(fake, kSlot, POLLRDHUP), Next::Wait);
  EXPECT_EQ(fake.waits_ns.back(), kMs);
}

TEST(RoomWait, OfOneThatIsClosingIsOver) {
  FakeServer fake;
  fake.open = false;
  RoomWait wait;
  wait.begin(fake, kSlot, kKind);
  EXPECT_EQ(wait.on_polled(fake, kSlot, POLLRDHUP), Next::Send);
  EXPECT_FALSE(wait.waiting());
  EXPECT_TRUE(fake.waits_ns.empty()) << "no deadline is set behind a close";
}

TEST(RoomWait, WhosePollFailsIsOver) {
  FakeServer fake;
  RoomWait wait;
  wait.begin(fake, kSlot, kKind);
  EXPECT_EQ(wait.on_polled(fake, kSlot, -ENOMEM), Next::Close);
  EXPECT_FALSE(wait.waiting());
}

}  // namespace
