#include "m2_file_server/lifetime_stage.hpp"

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "common/net/address.hpp"
#include "common/net/listener.hpp"
#include "common/net/socket.hpp"
#include "common/support/cpu_clock.hpp"
#include "common/support/write_all.hpp"

namespace file_server {

namespace {

constexpr std::int64_t kPatienceNs = 5'000'000'000;
constexpr int kSocketBufferBytes = 16 * 1024;

constinit std::array<std::array<std::byte, Stage::kSlotBytes>, 2> slots{};

}  // namespace

std::span<std::byte> Stage::slot(std::size_t index) {
  return slots[index];
}

bool Stage::submit() {
  const auto submitted = ring_.submit();
  return submitted ? true : story_.cannot("submit", submitted.error());
}

std::optional<uring::io_uring_cqe> Stage::next_completion() {
  const std::uint64_t deadline_ns = support::now_ns() + kPatienceNs;
  std::array<uring::io_uring_cqe, 1> cqe;
  while (ring_.reap(cqe) == 0) {
    const auto waited = ring_.submit_and_wait({.wait_nr = 1, .timeout_ns = kPatienceNs});
    if (!waited && waited.error().value != EINTR) {
      story_.cannot("wait for a completion", waited.error());
      return std::nullopt;
    }
    if (support::now_ns() >= deadline_ns) {
      story_.cannot("wait for a completion any longer", base::Errno{ETIME});
      return std::nullopt;
    }
  }
  return cqe[0];
}

bool Stage::is_quiet() {
  return ring_.get_events().has_value() && ring_.cq().ready() == 0;
}

std::optional<Connection> connect_pair(Story& story) {
  const auto failed = [&](base::Errno error) {
    story.cannot("connect to ourselves over loopback", error);
    return std::nullopt;
  };
  const auto listener = net::listen(*net::Address::parse("127.0.0.1"), {.blocking = true});
  if (!listener) {
    return failed(listener.error());
  }
  // Both ends get small ones: what a listener has is inherited.
  if (const auto set = net::set_send_buffer(listener->fd.get(), kSocketBufferBytes); !set) {
    return failed(set.error());
  }
  Connection pair;
  pair.client.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!pair.client.valid()) {
    return failed(base::last_error());
  }
  if (const auto set = net::set_receive_buffer(pair.client.get(), kSocketBufferBytes); !set) {
    return failed(set.error());
  }
  const net::Address& address = listener->address;
  if (::connect(pair.client.get(), address.data(), address.size()) != 0) {
    return failed(base::last_error());
  }
  pair.server.reset(::accept4(listener->fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!pair.server.valid()) {
    return failed(base::last_error());
  }
  return pair;
}

std::optional<base::UniqueFd> make_file(Story& story, std::string_view content) {
  base::UniqueFd file(::memfd_create("lifetime", MFD_CLOEXEC));
  if (!file.valid()) {
    story.cannot("make a file in memory", base::last_error());
    return std::nullopt;
  }
  if (const auto written = support::write_all(file.get(), as_bytes(content)); !written) {
    story.cannot("write a file in memory", written.error());
    return std::nullopt;
  }
  return file;
}

std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::string text_in(std::span<const std::byte> buffer) {
  const auto end = std::ranges::find(buffer, std::byte{0});
  return {reinterpret_cast<const char*>(buffer.data()),
          static_cast<std::size_t>(end - buffer.begin())};
}

void put_text(std::span<std::byte> buffer, std::string_view text) {
  std::ranges::fill(buffer, std::byte{0});
  std::ranges::copy(as_bytes(text), buffer.begin());
}

bool send_text(Story& story, int fd, std::string_view text) {
  const auto sent = support::write_all(fd, as_bytes(text));
  return sent ? true : story.cannot("send as the client", sent.error());
}

std::string receive_text(Story& story, int fd) {
  std::array<char, Stage::kSlotBytes> buffer;
  const ssize_t received = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (received < 0) {
    story.cannot("receive as the client", base::last_error());
    return {};
  }
  return {buffer.data(), static_cast<std::size_t>(received)};
}

}  // namespace file_server
