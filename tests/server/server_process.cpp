#include "tests/server/server_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "common/base/check.hpp"
#include "common/support/counters.hpp"
#include "common/support/cpu_clock.hpp"
#include "tests/server/test_protocol.hpp"

namespace server_test {
namespace {

constexpr std::uint64_t kPatienceNs = 20'000'000'000;

// So that the next descriptor can be opened, and `spare` more, but none after them.
void limit_files(unsigned spare) {
  const base::UniqueFd next(::dup(STDERR_FILENO));
  const rlim_t limit = static_cast<rlim_t>(next.get()) + spare;
  const rlimit lowered{.rlim_cur = limit, .rlim_max = limit};
  CHECK(::setrlimit(RLIMIT_NOFILE, &lowered) == 0);
}

int serve(const ServerKind& kind, const support::ServerOptions& options, std::uint32_t cq_entries) {
  const auto features = features_of(kind);
  CHECK(features.has_value(), "the tests are skipped where io_uring is denied");
  auto ring = server::create_ring(*features, 64, cq_entries);
  CHECK(ring.has_value());
  TestProtocol protocol;
  TestProtocol::Server server(*ring, protocol, options, kind.sockets);
  const int status = server.run("test");
  std::printf("%s%send\n", support::counters_as_text(server.counters()).c_str(),
              status == 0 ? protocol.report_details().c_str() : "");
  return status;
}

[[noreturn]] void child(const ServerKind& kind, const support::ServerOptions& options,
                        std::optional<unsigned> spare_fds, std::uint32_t cq_entries) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // never left behind
  if (spare_fds) {
    limit_files(*spare_fds);
  }
  const int status = serve(kind, options, cq_entries);
  std::fflush(stdout);
  ::_exit(status);
}

}  // namespace

base::Result<uring::Features> features_of(const ServerKind& kind) {
  const char* disabled = std::getenv("URING_DISABLE");
  return uring::Features::detect(
      uring::parse_feature_mask(kind.disabled).value() |
      uring::parse_feature_mask(disabled != nullptr ? disabled : "").value());
}

support::ServerOptions quiet_options() {
  support::ServerOptions options;
  options.max_connections = 1000;
  options.idle_timeout = {};
  options.drain_timeout = std::chrono::seconds(60);
  return options;
}

std::uint64_t Report::operator[](std::string_view name) const {
  const std::string start = '\n' + std::string(name) + ' ';
  const std::size_t found = ('\n' + text).find(start);
  CHECK(found != std::string::npos, "the report has such a line");
  std::uint64_t value = 0;
  const std::size_t number = text.find_first_not_of(' ', found + start.size() - 1);
  std::from_chars(text.data() + number, text.data() + text.size(), value);
  return value;
}

ServerProcess::ServerProcess(const ServerKind& kind, const support::ServerOptions& options,
                             std::optional<unsigned> spare_fds, std::uint32_t cq_entries) {
  std::array<int, 2> fds{};
  CHECK(::pipe2(fds.data(), O_CLOEXEC) == 0);
  output_ = base::UniqueFd(fds[0]);
  base::UniqueFd writing(fds[1]);
  std::fflush(stdout);
  pid_ = ::fork();
  CHECK(pid_ >= 0);
  if (pid_ == 0) {
    ::dup2(writing.get(), STDOUT_FILENO);
    writing.reset();
    output_.reset();
    child(kind, options, spare_fds, cq_entries);
  }
  writing.reset();
  first_line_ = read_until("\n");
  constexpr std::string_view kListening = "listening on ";
  if (first_line_.starts_with(kListening)) {
    const std::string text = first_line_.substr(kListening.size());
    address_ = net::Address::parse(text.substr(0, text.find('\n'))).value();
  }
}

ServerProcess::~ServerProcess() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

// Up to and with `end`; all that came if the output ends before, or is silent for too long.
std::string ServerProcess::read_until(std::string_view end) {
  while (unread_.find(end) == std::string::npos) {
    pollfd entry{.fd = output_.get(), .events = POLLIN, .revents = 0};
    std::array<char, 4096> piece;
    const int ready = ::poll(&entry, 1, static_cast<int>(kPatienceNs / 1'000'000));
    if (ready < 0 && base::last_error().value == EINTR) {
      continue;
    }
    if (ready != 1) {
      break;
    }
    const ssize_t count = ::read(output_.get(), piece.data(), piece.size());
    if (count <= 0) {
      break;
    }
    unread_.append(piece.data(), static_cast<std::size_t>(count));
  }
  const std::size_t found = unread_.find(end);
  const std::size_t size = found == std::string::npos ? unread_.size() : found + end.size();
  std::string text = unread_.substr(0, size);
  unread_.erase(0, size);
  return text;
}

Report ServerProcess::await_at_least(std::string_view name, std::uint64_t value) {
  const std::uint64_t give_up_ns = support::now_ns() + kPatienceNs;
  Report latest = report();
  while (latest[name] < value && support::now_ns() < give_up_ns) {
    ::usleep(5000);
    latest = report();
  }
  EXPECT_GE(latest[name], value) << name << " in\n" << latest.text;
  return latest;
}

void ServerProcess::signal(int number) const {
  CHECK(pid_ > 0 && ::kill(pid_, number) == 0);
}

Report ServerProcess::report() {
  signal(SIGUSR1);
  return {read_until("--- end of report\n")};
}

Report ServerProcess::await(std::string_view name, std::uint64_t value) {
  const std::uint64_t give_up_ns = support::now_ns() + kPatienceNs;
  Report latest = report();
  while (latest[name] != value && support::now_ns() < give_up_ns) {
    ::usleep(5000);
    latest = report();
  }
  EXPECT_EQ(latest[name], value) << name << " in\n" << latest.text;
  return latest;
}

int ServerProcess::exit_status() {
  const std::uint64_t give_up_ns = support::now_ns() + kPatienceNs;
  while (support::now_ns() < give_up_ns) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    ::usleep(2000);
  }
  return -1;
}

Report ServerProcess::last_words() {
  return {read_until("end\n")};
}

std::size_t ServerProcess::open_descriptors() const {
  const std::filesystem::directory_iterator all("/proc/" + std::to_string(pid_) + "/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

}  // namespace server_test
