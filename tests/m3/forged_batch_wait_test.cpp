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
// A period begins while the clients connect, and the next has ended when each has spoken twice. Then there
// are some with waits.
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
  // Those of the first so many clients.
  void end_sends(std::uint32_t of_clients) {
    for (std::uint32_t i = 0; i < of_clients; ++i) {
      if (Client& client = clients_[i]; sends(client) > 0) {
        server_->end_send(client, server_->take(send_of(client)));
      }
    }
  }
  // One turn: they have the last answer, and speak again.
  void speak() {
    end_sends(kClients);
    deliver(kClients);
    server_->turn();
    ASSERT_EQ(server_->count(IORING_OP_SEND), kClients);
  }

  // They have spoken, and it waits for more of them: for some turns to come.
  void start_waiting() {
    connect_all();
    speak_until_it_waits();
  }
  void speak_until_it_waits() {
    for (int turn = 0; turn < 3 * kEnoughTurns && (turn == 0 || server_->wait().completions == 1);
         ++turn) {
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
    EXPECT_EQ(server_->counter("batch_waits"), waits);
  }
  EXPECT_GE(waits, std::uint64_t{kEnoughTurns});
}

// Sends that are in flight since an earlier turn have been waited for then.
TEST_F(ForgedBatchWait, IsNotForTheSendsOfEarlierTurns) {
  START(waiting_options());
  start_waiting();
  constexpr std::uint32_t kAnswered = 50;
  end_sends(kAnswered);
  deliver(kClients);
  server_->turn();
  ASSERT_EQ(server_->count(IORING_OP_SEND), kClients);
  expect_gathers(kAnswered);
}

TEST_F(ForgedBatchWait, NotWithoutASend) {
  START(waiting_options());
  start_waiting();
  deliver(kClients);
  server_->turn();
  expect_waits_for_one();
  end_sends(kClients);
  deliver(kClients);
  server_->turn();
  expect_gathers(kClients);
}

// One client goes on speaking, and nobody else.
TEST_F(ForgedBatchWait, IsNotForThoseWhoAreSilent) {
  START(waiting_options());
  start_waiting();
  end_sends(kClients);
  server_->turn();
  expect_waits_for_one();
  const auto waits_for_one = [&] {
    if (server_->count(IORING_OP_SEND) == 1 && server_->wait().completions == 1) {
      return true;
    }
    end_sends(1);
    deliver(1);
    return false;
  };
  EXPECT_TRUE(server_->turn_until(waits_for_one));
  const std::uint64_t waits = server_->counter("batch_waits");
  for (int turn = 0; turn < 10; ++turn) {
    end_sends(1);
    deliver(1);
    server_->turn();
    ASSERT_EQ(server_->count(IORING_OP_SEND), 1U);
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

// More of them wait than the one send that has ended has buffers for. It is the next one to send, too.
TEST_F(ForgedBatchWait, NotWhileConnectionsWaitForBuffers) {
  START(waiting_options());
  start_waiting();
  // One buffer of each is being sent. All of them speak until there is none left.
  deliver(kBuffers % kClients);
  deliver(kClients);
  server_->turn();
  deliver(kClients);
  ASSERT_EQ(server_->buffers_with_kernel(), 0U);
  for (std::uint32_t i = 0; i < 10; ++i) {
    ASSERT_EQ(server_->deliver(clients_[i], "x"), 0U);
  }
  end_sends(1);
  server_->turn();
  ASSERT_EQ(sends(clients_[0]), 1U);
  ASSERT_GT(server_->counter("buffer_waiters"), 0U);
  expect_waits_for_one();
  // Until all have their answers.
  while (server_->buffers_with_kernel() < kBuffers) {
    end_sends(kClients);
    server_->turn();
  }
  EXPECT_EQ(server_->counter("buffer_waiters"), 0U);
  speak_until_it_waits();
}

// The last answers are under way, and nobody is to speak any more.
TEST_F(ForgedBatchWait, NotWhileItDrains) {
  START(waiting_options());
  start_waiting();
  end_sends(kClients);
  deliver(kClients);
  server_->signal(SIGTERM);
  ASSERT_TRUE(server_->runs());
  ASSERT_EQ(server_->count(IORING_OP_SEND), kClients);
  expect_waits_for_one();
}
