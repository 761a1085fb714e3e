// Where many clients are busy the server waits for more than one completion: for how many, and when
// it does not.

#include <signal.h>

#include <chrono>
#include <cstdint>
#include <vector>

#include "tests/m3/forged_case.hpp"

namespace {

using m3_test::Client;
using m3_test::forged_options;
using network_server::EchoOptions;
using uring::IORING_OP_SEND;

constexpr std::uint32_t kClients = 160;
constexpr std::uint32_t kArrivals = kClients / 32;
constexpr std::uint32_t kBuffers = 512;
constexpr std::chrono::microseconds kLimit(10'000);
// A period begins while the clients connect, and the next has ended when each has spoken twice.
constexpr int kEnoughTurns = 6;

class ForgedBatchWait : public m3_test::ForgedCase {
 protected:
  [[nodiscard]] static EchoOptions waiting_options() {
    EchoOptions options = forged_options();
    options.buffers = kBuffers;
    options.batch_wait = kLimit;
    return options;
  }

  void connect_all() {
    for (std::uint32_t i = 0; i < kClients; ++i) {
      clients_.push_back(server_->connect());
    }
  }

  // No turn. So all of them are in one, however slow this machine is: what the server takes for a
  // round depends on the clock, but not how many have spoken in it.
  void deliver(std::uint32_t speakers) {
    for (std::uint32_t i = 0; i < speakers; ++i) {
      ASSERT_EQ(server_->deliver(clients_[i], "x"), 1U);
    }
  }
  void end_all_sends() {
    for (Client& client : clients_) {
      if (sends(client) > 0) {
        server_->end_send(client, server_->take(send_of(client)));
      }
    }
  }
  // One turn: they have the last answer, and speak again.
  void speak() {
    end_all_sends();
    deliver(kClients);
    server_->turn();
    ASSERT_EQ(server_->count(IORING_OP_SEND), kClients);
  }

  // They have spoken, and it waits for more of them.
  void start_waiting() {
    connect_all();
    for (int turn = 0; turn < kEnoughTurns; ++turn) {
      speak();
    }
    expect_gathers(kClients);
  }

  // It waits for the completions of so many sends and for more clients.
  void expect_gathers(std::uint32_t sends) const {
    EXPECT_EQ(server_->wait().completions, sends + kArrivals);
    EXPECT_GT(server_->wait().min_wait_us, 0U);
    EXPECT_LE(server_->wait().min_wait_us, kLimit.count());
  }
  void expect_waits_for_one() const {
    EXPECT_EQ(server_->wait().completions, 1U);
    EXPECT_EQ(server_->wait().min_wait_us, 0U);
  }

  std::vector<Client> clients_;
};

}  // namespace

TEST_F(ForgedBatchWait, IsForTheSendsOfThisTurnAndForMoreClients) {
  START(waiting_options());
  connect_all();
  expect_waits_for_one();
  EXPECT_EQ(server_->counter("batch_waits"), 0U);
  std::uint64_t waits = 0;
  for (int turn = 0; turn < 3 * kEnoughTurns; ++turn) {
    speak();
    const bool gathers = server_->counter("batch_waits") > waits;
    if (gathers) {
      expect_gathers(kClients);
      ++waits;
    } else {
      expect_waits_for_one();
    }
    EXPECT_TRUE(gathers || turn < kEnoughTurns) << turn;
    EXPECT_EQ(server_->counter("batch_waits"), waits);
  }
}

// Sends that are in flight since an earlier turn have been waited for then.
TEST_F(ForgedBatchWait, IsNotForTheSendsOfEarlierTurns) {
  START(waiting_options());
  start_waiting();
  deliver(kClients);
  server_->turn();
  ASSERT_EQ(server_->count(IORING_OP_SEND), kClients);
  expect_gathers(0);
}

TEST_F(ForgedBatchWait, SilenceEndsIt) {
  START(waiting_options());
  start_waiting();
  end_all_sends();
  server_->turn();
  EXPECT_TRUE(server_->turn_until([&] { return server_->wait().completions == 1; }));
  expect_waits_for_one();
  const std::uint64_t waits = server_->counter("batch_waits");
  for (int turn = 0; turn < 10; ++turn) {
    server_->turn();
    expect_waits_for_one();
  }
  EXPECT_EQ(server_->counter("batch_waits"), waits);
}

// Without Linux 6.12 it would wait for all of them, for ever.
TEST_F(ForgedBatchWait, IsOffWhereTheKernelCannotAndUnlessAskedFor) {
  EchoOptions not_asked_for = waiting_options();
  not_asked_for.batch_wait = EchoOptions().batch_wait;
  const struct {
    EchoOptions options;
    const char* masked;
  } cases[] = {{waiting_options(), "min_wait"}, {not_asked_for, ""}};
  for (const auto& [options, masked] : cases) {
    SCOPED_TRACE(masked);
    START(options, masked);
    connect_all();
    for (int turn = 0; turn < 3 * kEnoughTurns; ++turn) {
      speak();
      expect_waits_for_one();
    }
    EXPECT_EQ(server_->counter("batch_waits"), 0U);
    clients_.clear();
    server_.reset();
  }
}

// The buffers are what everybody waits for, and a send of an earlier turn brings them.
TEST_F(ForgedBatchWait, NotWhileConnectionsWaitForBuffers) {
  START(waiting_options());
  start_waiting();
  // One buffer of each is being sent. All of them speak until there is none left.
  constexpr std::uint32_t kRounds = kBuffers / kClients;
  deliver(kBuffers % kClients);
  for (std::uint32_t round = 1; round < kRounds; ++round) {
    deliver(kClients);
    if (round + 1 < kRounds) {
      server_->turn();
      expect_gathers(0);
    }
  }
  ASSERT_EQ(server_->buffers_with_kernel(), 0U);
  ASSERT_EQ(server_->deliver(clients_[0], "x"), 0U);
  server_->turn();
  ASSERT_EQ(server_->counter("buffer_waiters"), 1U);
  expect_waits_for_one();
  end_all_sends();
  server_->turn();
  EXPECT_EQ(server_->counter("buffer_waiters"), 0U);
  for (int turn = 0; turn < kEnoughTurns; ++turn) {
    end_all_sends();
    deliver(kClients);
    server_->turn();
  }
  expect_gathers(kClients);
}

// The last answers are under way, and nobody is to speak any more.
TEST_F(ForgedBatchWait, NotWhileItDrains) {
  START(waiting_options());
  start_waiting();
  deliver(kClients);
  server_->signal(SIGTERM);
  ASSERT_TRUE(server_->runs());
  expect_waits_for_one();
  server_->turn();
  expect_waits_for_one();
}
