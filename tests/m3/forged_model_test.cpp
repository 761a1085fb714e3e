// A network at random against a simple model: clients that send, read or do not, stop and break, over
// receives and sends that end in every way that a kernel may end them, in any order. Of each client
// that does not break, what it gets is what it has sent; nobody gets what is not his; and at the end
// all buffers are back.

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/m3/forged_case.hpp"

namespace {

using m3_test::Client;
using m3_test::ForgedEcho;
using m3_test::kBufferBytes;
using m3_test::Operation;
using m3_test::some_text;
using network_server::EchoOptions;

// A client, and the socket between it and the server.
struct Talker {
  Client client;
  std::string text;          // all that it sends before it shuts down its side
  std::size_t sent = 0;      // of the text: in the socket, or received by the server
  std::size_t received = 0;  // of the text: by the server
  std::size_t room = 0;      // for bytes to the client
  bool ends = false;         // shuts down its side behind the text
  bool reads = true;
  bool broken = false;  // it has reset the connection
  bool is_gone = false;

  [[nodiscard]] std::size_t waiting() const { return sent - received; }
  [[nodiscard]] bool has_ended() const { return ends && sent == text.size(); }
};

class Model {
 public:
  explicit Model(unsigned seed) : random_(seed) {
    EchoOptions options = m3_test::forged_options();
    options.server.max_connections = 6;
    options.buffers = 2U << at_most(4);
    options.server.max_buffered = (std::size_t{1} << at_most(4)) * kBufferBytes;
    options.send_buffers = one_of<std::uint16_t>({1, 2, 16});
    options.single_shot = at_most(5) == 0;
    buffers_ = options.buffers;
    server_.emplace(options, one_of<const char*>({"", "", "multishot_recv_limit", "buffer_ring",
                                                  "multishot_accept", "multishot_recv",
                                                  "multishot_recv,buffer_ring"}));
  }

  [[nodiscard]] bool can_run() const { return server_->runs(); }

  void run() {
    for (const std::uint8_t opcode :
         {uring::IORING_OP_ASYNC_CANCEL, uring::IORING_OP_CLOSE, uring::IORING_OP_SHUTDOWN}) {
      server_->hold(opcode);
    }
    for (int step = 0; step < 600 && !testing::Test::HasFailure(); ++step) {
      act();
      if (at_most(2) == 0) {
        turn();
      }
    }
    calm_down();
    EXPECT_EQ(server_->inside().loop().counters().stale, 0U);
  }

  [[nodiscard]] std::uint64_t counter(std::string_view name) const {
    return server_->counter(name);
  }

 private:
  [[nodiscard]] std::size_t at_most(std::size_t largest) {
    return std::uniform_int_distribution<std::size_t>(0, largest)(random_);
  }
  template <class T>
  [[nodiscard]] T one_of(std::initializer_list<T> choices) {
    return choices.begin()[at_most(choices.size() - 1)];
  }

  void act() {
    switch (at_most(9)) {
      case 0:
        connect();
        break;
      case 1:
      case 2:
        some_client([&](Talker& talker) { move_bytes(talker); });
        break;
      case 3:
        some_client([&](Talker& talker) { change(talker); });
        break;
      default:
        end_something();
    }
  }

  // --- the clients -------------------------------------------------------------------------------------

  template <class F>
  void some_client(F f) {
    if (!talkers_.empty()) {
      auto chosen = talkers_.begin();
      std::advance(chosen, at_most(talkers_.size() - 1));
      f(chosen->second);
    }
  }

  void connect() {
    if (talkers_.size() >= 6 || server_->count(uring::IORING_OP_ACCEPT) == 0) {
      return;
    }
    Talker talker;
    talker.client = server_->connect(at_most(3) == 0);
    talker.text = some_text(at_most(1) == 0 ? at_most(100) : at_most(3000), ++number_);
    talker.ends = at_most(3) > 0;
    talker.room = at_most(500);
    const auto before = talkers_.find(talker.client.slot);
    ASSERT_TRUE(before == talkers_.end() || before->second.is_gone) << "another one's slot";
    talkers_[talker.client.slot] = talker;
    check();
  }

  void move_bytes(Talker& talker) {
    talker.sent += at_most(std::min<std::size_t>(talker.text.size() - talker.sent, 700));
    if (talker.reads) {
      talker.room = std::min<std::size_t>(talker.room + at_most(400), 800);
    }
  }

  void change(Talker& talker) {
    talker.reads = at_most(2) > 0;
    talker.broken = talker.broken || at_most(60) == 0;
  }

  // --- the kernel --------------------------------------------------------------------------------------

  void end_something() {
    if (!server_->in_flight().empty()) {
      end(server_->in_flight()[at_most(server_->in_flight().size() - 1)]);
    }
  }

  // If it can end at all. False: it waits.
  bool end(const Operation operation) {
    switch (operation.sqe.opcode) {
      case uring::IORING_OP_RECV:
        return end_receive(operation, talkers_.at(operation.id().slot));
      case uring::IORING_OP_SEND:
      case uring::IORING_OP_SENDMSG:
        return end_send(operation, talkers_.at(operation.id().slot));
      case uring::IORING_OP_POLL_ADD:
        return operation.id().kind < loop::kFirstLoopKind &&
               end_poll(operation, talkers_.at(operation.id().slot));
      case uring::IORING_OP_ASYNC_CANCEL:
      case uring::IORING_OP_CLOSE:
      case uring::IORING_OP_SHUTDOWN:
        return perform_first_of(operation.id().slot);
      default:
        return false;
    }
  }

  // A CLOSE comes behind the cancels that it is linked to.
  bool perform_first_of(std::uint32_t slot) {
    const auto& all = server_->in_flight();
    const auto first = std::ranges::find_if(all, [&](const Operation& other) {
      return other.id().slot == slot && (other.sqe.opcode == uring::IORING_OP_ASYNC_CANCEL ||
                                         other.sqe.opcode == uring::IORING_OP_CLOSE ||
                                         other.sqe.opcode == uring::IORING_OP_SHUTDOWN);
    });
    const Operation operation = server_->take(*first);
    server_->perform(operation);
    if (const auto found = talkers_.find(slot);
        found != talkers_.end() && operation.sqe.opcode == uring::IORING_OP_CLOSE) {
      Talker& closed = found->second;
      closed.is_gone = true;
      EXPECT_TRUE(closed.broken ||
                  (closed.ends && closed.client.received.size() == closed.text.size()))
          << "it was closed before it had everything";
    }
    return true;
  }

  bool end_receive(const Operation& operation, Talker& talker) {
    const bool chooses = (operation.sqe.flags & uring::IOSQE_BUFFER_SELECT) != 0;
    if (at_most(40) == 0) {
      server_->end(server_->take(operation), one_of({-EINTR, -EAGAIN}));
    } else if (talker.broken) {
      server_->end(server_->take(operation), -ECONNRESET);
    } else if (talker.waiting() > 0 && chooses) {
      const std::size_t size = at_most(talker.waiting() - 1) + 1;
      talker.received += server_->deliver(
          talker.client, std::string_view(talker.text).substr(talker.received, size),
          at_most(8) == 0);
    } else if (talker.waiting() > 0) {
      const std::size_t size = std::min<std::size_t>(talker.waiting(), operation.sqe.len);
      talker.received += size;  // thrown away
      server_->end(server_->take(operation), static_cast<std::int32_t>(size));
    } else if (talker.has_ended()) {
      const bool has_buffer = !chooses || server_->buffers_with_kernel() > 0;
      server_->end(server_->take(operation), has_buffer ? 0 : -ENOBUFS);
    } else {
      return false;
    }
    return true;
  }

  bool end_send(const Operation& operation, Talker& talker) {
    if (at_most(40) == 0) {
      server_->end(server_->take(operation), -EINTR);
    } else if (talker.broken) {
      server_->end(server_->take(operation), one_of({-EPIPE, -ECONNRESET}));
    } else if (talker.room == 0) {
      server_->end(server_->take(operation), -EAGAIN);
    } else {
      const std::size_t most =
          at_most(3) == 0 ? std::min<std::size_t>(talker.room, at_most(20) + 1) : talker.room;
      const std::size_t before = talker.client.received.size();
      server_->end_send(talker.client, server_->take(operation), most);
      talker.room -= talker.client.received.size() - before;
    }
    return true;
  }

  bool end_poll(const Operation& operation, Talker& talker) {
    int events = 0;
    events |= talker.room > 0 ? POLLOUT : 0;
    events |= talker.waiting() > 0 || talker.has_ended() ? POLLIN : 0;
    events &= static_cast<int>(operation.sqe.poll32_events);
    // KERNEL: asked or not.
    events |= talker.has_ended() && (events != 0 || at_most(20) == 0) ? POLLRDHUP : 0;
    events |= talker.broken ? POLLERR | POLLHUP : 0;
    if (events != 0) {
      server_->end(server_->take(operation), events);
    }
    return events != 0;
  }

  // --- what must hold ----------------------------------------------------------------------------------

  void turn() {
    server_->turn();
    std::erase_if(talkers_, [&](const auto& entry) {
      return entry.second.is_gone &&
             server_->inside().loop().slots().ops_in_flight(entry.first) == 0;
    });
    check();
  }

  void check() {
    for (const auto& [slot, talker] : talkers_) {
      const std::string& got = talker.client.received;
      ASSERT_LE(got.size(), talker.received) << "more than it has sent";
      ASSERT_TRUE(got == std::string_view(talker.text).substr(0, got.size()))
          << "not what it has sent";
      std::size_t sends = 0;
      std::size_t receives = 0;
      for (const Operation& operation : server_->in_flight()) {
        const bool is_its = operation.id().slot == slot;
        sends += is_its && (operation.sqe.opcode == uring::IORING_OP_SEND ||
                            operation.sqe.opcode == uring::IORING_OP_SENDMSG);
        receives += is_its && operation.sqe.opcode == uring::IORING_OP_RECV &&
                    (operation.sqe.flags & uring::IOSQE_BUFFER_SELECT) != 0;
      }
      ASSERT_LE(sends, 1U) << "their bytes would mix";
      ASSERT_LE(receives, 1U);
    }
  }

  // All clients read now, nothing fails any more, and it comes to an end.
  void calm_down() {
    for (int turns = 0; turns < 20'000; ++turns) {
      bool has_moved = false;
      for (auto& [slot, talker] : talkers_) {
        talker.sent = talker.text.size();
        talker.room = 1000;
      }
      const std::vector<Operation> all = server_->in_flight();
      for (const Operation& operation : all) {
        has_moved = (is_in_flight(operation) && end(operation)) || has_moved;
      }
      turn();
      if (testing::Test::HasFailure()) {
        return;
      }
      if (is_quiet()) {
        EXPECT_EQ(server_->buffers_with_kernel(), buffers_);
        return;
      }
      if (!has_moved) {
        ::usleep(500);  // somebody waits by the clock
      }
    }
    ADD_FAILURE() << "it does not come to an end";
    for (const auto& [slot, talker] : talkers_) {
      ADD_FAILURE() << "client of slot " << slot << ": " << talker.text.size() << " bytes, "
                    << talker.received << " received, " << talker.client.received.size()
                    << " echoed" << (talker.ends ? ", ends" : "")
                    << (talker.broken ? ", broken" : "") << (talker.is_gone ? ", gone" : "");
    }
  }

  [[nodiscard]] bool is_in_flight(const Operation& operation) const {
    return std::ranges::any_of(server_->in_flight(), [&](const Operation& other) {
      return other.sqe.opcode == operation.sqe.opcode &&
             other.sqe.user_data == operation.sqe.user_data;
    });
  }

  // Those who have ended or broken are gone, the others have everything.
  [[nodiscard]] bool is_quiet() const {
    return std::ranges::all_of(talkers_, [](const auto& entry) {
      const Talker& talker = entry.second;
      return !talker.ends && !talker.broken && talker.client.received.size() == talker.text.size();
    });
  }

  std::mt19937 random_;
  std::size_t buffers_ = 0;
  std::map<std::uint32_t, Talker> talkers_;  // by slot
  unsigned number_ = 0;
  std::optional<ForgedEcho> server_;
};

}  // namespace

TEST(ForgedEchoModel, WhatIsSentComesBack) {
  // Without these the runs would show little.
  std::map<std::string_view, std::uint64_t> happened;
  for (unsigned seed = 0; seed < 400 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Model model(seed);
    if (!model.can_run()) {
      GTEST_SKIP() << "no filter on system calls is allowed here";
    }
    model.run();
    for (const std::string_view name :
         {"received_buffers", "receives_ended", "receive_cancels", "buffer_waits", "short_sends",
          "sends_blocked", "urgent_replenishes", "spills"}) {
      happened[name] += model.counter(name);
    }
  }
  for (const auto& [name, count] : happened) {
    EXPECT_GT(count, 1000U) << name;
  }
}
