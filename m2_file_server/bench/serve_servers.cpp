#include "m2_file_server/bench/serve_servers.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <string_view>
#include <utility>

#include "common/net/listener.hpp"
#include "m2_file_server/bench/serve_blocking_servers.hpp"

namespace file_server::serve_bench {
namespace {

std::unexpected<std::string> fail(const std::string& what, base::Errno error) {
  return std::unexpected(what + ": " + error.message() + " (" + error.name() + ")");
}

// In the child.
void run_ring_server(int output, const std::string& root) {
  const std::array<const char*, 8> words = {"m2_file_server", "--root", root.c_str(), "--bind",
                                            "127.0.0.1",      "--port", "0",          nullptr};
  if (::dup2(output, STDOUT_FILENO) == STDOUT_FILENO) {
    ::execv("/proc/self/exe", const_cast<char* const*>(words.data()));
  }
}

// Up to the newline. Empty: it ended before, or it took too long, or we are to stop.
std::string read_first_line(int fd, int interrupt_fd) {
  constexpr int kPatience_ms = 10'000;
  constexpr std::size_t kLongest = 256;
  std::string line;
  while (line.size() < kLongest) {
    std::array<pollfd, 2> ready = {pollfd{.fd = fd, .events = POLLIN, .revents = 0},
                                   pollfd{.fd = interrupt_fd, .events = POLLIN, .revents = 0}};
    char letter = 0;
    if (::poll(ready.data(), ready.size(), kPatience_ms) <= 0 || ready[1].revents != 0 ||
        ::read(fd, &letter, 1) != 1) {
      return {};
    }
    if (letter == '\n') {
      return line;
    }
    line += letter;
  }
  return {};
}

std::optional<net::Address> parse_first_line(std::string_view line) {
  constexpr std::string_view kStart = "listening on ";
  return line.starts_with(kStart) ? net::Address::parse(line.substr(kStart.size())) : std::nullopt;
}

// A server that is a function of ours. The listener is made here, so its port is known.
Started start_function(std::string name, const ServerSetting& setting,
                       const std::function<void(int listener, int root)>& serve) {
  const base::UniqueFd root(::open(setting.root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) {
    return fail("cannot open " + setting.root, base::last_error());
  }
  const auto listener = net::listen(*net::Address::parse("127.0.0.1"), {.blocking = true});
  if (!listener) {
    return fail("cannot listen", listener.error());
  }
  auto child = Child::spawn(setting.cpu, [&] { serve(listener->fd.get(), root.get()); });
  if (!child) {
    return fail("cannot start a process", child.error());
  }
  return ServerProcess{.name = std::move(name),
                       .address = listener->address,
                       .child = std::move(*child),
                       .output = {}};
}

}  // namespace

Started start_ring_server(const ServerSetting& setting, int interrupt_fd) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail("cannot make a pipe", base::last_error());
  }
  base::UniqueFd output(ends[0]);
  base::UniqueFd input(ends[1]);
  auto child = Child::spawn(setting.cpu, [&] { run_ring_server(input.get(), setting.root); });
  if (!child) {
    return fail("cannot start a process", child.error());
  }
  input.reset();  // so that the end of the child is the end of the pipe
  const auto address = parse_first_line(read_first_line(output.get(), interrupt_fd));
  if (!address) {
    return std::unexpected("the ring server did not start");
  }
  return ServerProcess{
      .name = "ring", .address = *address, .child = std::move(*child), .output = std::move(output)};
}

Started start_one_thread(const ServerSetting& setting) {
  return start_function("one thread", setting, serve_by_one_thread);
}

Started start_thread_pool(const ServerSetting& setting, std::uint32_t threads) {
  return start_function(
      std::to_string(threads) + " threads", setting,
      [threads](int listener, int root) { serve_by_thread_pool(listener, root, threads); });
}

std::optional<std::string> stop_server(ServerProcess& server) {
  const int status = server.child.stop();
  const bool exited_well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  const bool was_stopped = WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM;
  if (exited_well || was_stopped) {
    return std::nullopt;
  }
  return server.name + ": the server " +
         (WIFEXITED(status) ? "ended with status " + std::to_string(WEXITSTATUS(status))
                            : "was killed by signal " + std::to_string(WTERMSIG(status)));
}

}  // namespace file_server::serve_bench
