#include "m2_file_server/bench/serve_load.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "common/base/errno.hpp"
#include "common/net/socket.hpp"
#include "common/support/cpu_clock.hpp"

namespace file_server::serve_bench {
namespace {

constexpr std::uint64_t kNsPerMs = 1'000'000;
constexpr std::uint64_t kPatience_ns = 5000 * kNsPerMs;
constexpr std::uint64_t kQuiet_ns = 50 * kNsPerMs;
constexpr std::uint64_t kComparedOneIn = 16;
constexpr std::size_t kBufferBytes = 256 << 10;
constexpr std::uint32_t kInterrupt = UINT32_MAX;  // in place of a client's index

std::string sentence(const char* call, base::Errno error) {
  return std::string(call) + ": " + error.message() + " (" + error.name() + ")";
}

bool watch(int epoll, int fd, std::uint32_t index) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = index;
  return ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

}  // namespace

Load::Outcome<Load> Load::create(const LoadPlan& plan, const ServedFile& file, int interrupt_fd) {
  Load load(plan, file);
  load.epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!load.epoll_.valid() || !watch(load.epoll_.get(), interrupt_fd, kInterrupt)) {
    return load.fail(sentence("epoll", base::last_error()));
  }
  return load;
}

Load::Load(const LoadPlan& plan, const ServedFile& file)
    : plan_(plan), file_(&file), clients_(plan.clients), buffer_(kBufferBytes) {
  request_ = "GET /" + file.name + " HTTP/1.1\r\nHost: " + plan.server.to_string() + "\r\n";
  request_ += plan.connections == Connections::PerRequest ? "Connection: close\r\n\r\n" : "\r\n";
}

Load::Outcome<LoadSlice> Load::run(std::uint64_t duration_ns) {
  const std::uint64_t begin_ns = support::now_ns();
  slice_ = {};
  stop_ns_ = begin_ns + duration_ns;
  last_answer_ns_ = begin_ns;
  last_bytes_ns_ = begin_ns;
  for (Client& client : clients_) {
    if (client.waits) {
      continue;
    }
    if (const auto started = start_request(client); !started) {
      return std::unexpected(started.error());
    }
  }
  while (support::now_ns() < stop_ns_) {
    if (const auto taken = take_events(stop_ns_); !taken) {
      return std::unexpected(taken.error());
    }
  }
  if (const auto drained = drain(); !drained) {
    return std::unexpected(drained.error());
  }
  if (slice_.requests == 0) {
    return fail("no answer in a whole slice");
  }
  slice_.elapsed_ns = last_answer_ns_ - begin_ns;
  return std::move(slice_);
}

std::uint32_t Load::clients_answered() const {
  return static_cast<std::uint32_t>(
      std::ranges::count_if(clients_, [](const Client& client) { return client.answers > 0; }));
}

Load::Outcome<void> Load::start_request(Client& client) {
  client.began_ns = support::now_ns();
  if (!client.socket.valid()) {
    if (const auto connected = connect(client); !connected) {
      return connected;
    }
  }
  // So few bytes always fit into the buffer of a connection that waits for nothing.
  const ssize_t sent = ::send(client.socket.get(), request_.data(), request_.size(), MSG_NOSIGNAL);
  if (sent < 0) {
    return fail(sentence("send", base::last_error()));
  }
  client.response.begin({.content = file_->content,
                         .closes = plan_.connections == Connections::PerRequest,
                         .compare_bytes = requests_started_ % kComparedOneIn == 0});
  client.waits = true;
  client.has_answer = false;
  ++requests_started_;
  ++waiting_;
  return {};
}

// It blocks, which over loopback is no waiting: the kernel answers for the server as long as there
// is room in its backlog.
Load::Outcome<void> Load::connect(Client& client) {
  client.socket.reset(::socket(plan_.server.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int fd = client.socket.get();
  if (fd < 0) {
    return fail(sentence("socket", base::last_error()));
  }
  // SO_SNDTIMEO holds for connect() too.
  const timeval patience{.tv_sec = static_cast<time_t>(kPatience_ns / kNsPerMs / 1000),
                         .tv_usec = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (::connect(fd, plan_.server.data(), plan_.server.size()) != 0) {
    return fail(sentence("connect", base::last_error()));
  }
  if (const auto set = net::set_nodelay(fd, true); !set) {
    return fail(sentence("setsockopt", set.error()));
  }
  const auto index = static_cast<std::uint32_t>(&client - clients_.data());
  if (!watch(epoll_.get(), fd, index)) {
    return fail(sentence("epoll_ctl", base::last_error()));
  }
  return {};
}

Load::Outcome<void> Load::take_events(std::uint64_t until_ns) {
  std::array<epoll_event, 128> events;
  const std::uint64_t now_ns = support::now_ns();
  const std::uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
  const auto timeout_ms = static_cast<int>((left_ns + kNsPerMs - 1) / kNsPerMs);
  const int count =
      ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout_ms);
  if (count < 0 && base::last_error().value != EINTR) {
    return fail(sentence("epoll_wait", base::last_error()));
  }
  for (const epoll_event& event :
       std::span(events).first(static_cast<std::size_t>(std::max(count, 0)))) {
    if (event.data.u32 == kInterrupt) {
      return std::unexpected("interrupted");
    }
    if (const auto received = receive(clients_[event.data.u32]); !received) {
      return received;
    }
  }
  return {};
}

// Until nothing is there any more, or the next request is under way.
Load::Outcome<void> Load::receive(Client& client) {
  const std::uint64_t request = client.began_ns;
  while (client.began_ns == request && client.socket.valid()) {
    const ssize_t size = ::recv(client.socket.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (size < 0) {
      const base::Errno error = base::last_error();
      return error.value == EAGAIN ? Outcome<void>{} : fail(sentence("recv", error));
    }
    const auto taken =
        size == 0 ? take_end(client)
                  : take_bytes(client, std::span(buffer_).first(static_cast<std::size_t>(size)));
    if (!taken) {
      return taken;
    }
  }
  return {};
}

Load::Outcome<void> Load::take_bytes(Client& client, std::span<const std::byte> bytes) {
  if (!client.waits) {
    return fail("bytes came that nobody has asked for");
  }
  last_bytes_ns_ = support::now_ns();
  switch (client.response.take(bytes)) {
    case ResponseCheck::State::Wrong:
      return fail("a wrong answer for /" + file_->name + ": " + client.response.problem());
    case ResponseCheck::State::More:
      return {};
    case ResponseCheck::State::Done:
      break;
  }
  slice_.latency_ns.record(last_bytes_ns_ - client.began_ns);
  ++slice_.requests;
  ++client.answers;
  client.has_answer = true;
  last_answer_ns_ = last_bytes_ns_;
  if (plan_.connections == Connections::KeptAlive) {
    return finish_request(client);
  }
  return {};
}

Load::Outcome<void> Load::take_end(Client& client) {
  if (plan_.connections == Connections::KeptAlive) {
    return fail("the server closed a connection that was to go on");
  }
  if (!client.has_answer) {
    return fail("the server closed a connection before the end of the answer");
  }
  client.socket.reset();
  return finish_request(client);
}

Load::Outcome<void> Load::finish_request(Client& client) {
  client.waits = false;
  --waiting_;
  return support::now_ns() < stop_ns_ ? start_request(client) : Outcome<void>{};
}

Load::Outcome<void> Load::drain() {
  constexpr std::uint64_t kPause_ns = 10 * kNsPerMs;
  while (waiting_ > 0) {
    const std::uint64_t now_ns = support::now_ns();
    const std::uint64_t quiet_ns = now_ns - std::min(last_bytes_ns_, now_ns);
    if (quiet_ns > kQuiet_ns && !is_answered_one_waiting()) {
      break;
    }
    if (quiet_ns > kPatience_ns) {
      return fail("nothing came for five seconds, and answers were due");
    }
    if (const auto taken = take_events(now_ns + kPause_ns); !taken) {
      return taken;
    }
  }
  return {};
}

bool Load::is_answered_one_waiting() const {
  return std::ranges::any_of(
      clients_, [](const Client& client) { return client.waits && client.answers > 0; });
}

std::unexpected<std::string> Load::fail(const std::string& what) const {
  return std::unexpected(plan_.server_name + ": " + what);
}

}  // namespace file_server::serve_bench
