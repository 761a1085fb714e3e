#pragma once
// Server<TestProtocol> in a child process, and what its report says.

#include <signal.h>
#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "common/base/errno.hpp"
#include "common/base/unique_fd.hpp"
#include "common/net/address.hpp"
#include "common/server/sockets.hpp"
#include "common/support/server_options.hpp"
#include "common/uring/features.hpp"

namespace server_test {

// A kind of server to test: its ring is that of create_ring() with some features masked.
struct ServerKind {
  const char* name;
  const char* disabled;  // as in URING_DISABLE
  server::Sockets sockets = {};

  friend std::ostream& operator<<(std::ostream& out, const ServerKind& kind) {
    return out << kind.name;
  }
};

inline constexpr server::Sockets kMultishot{.multishot_accept = true};
inline constexpr server::Sockets kDirect{.direct = true};
inline constexpr server::Sockets kMultishotDirect{.multishot_accept = true, .direct = true};

inline constexpr const char* kNothing = "";
inline constexpr const char* kFlags =
    "submit_all,coop_taskrun,single_issuer,defer_taskrun,registered_ring";
inline constexpr const char* kAllThatIsNew =
    "submit_all,coop_taskrun,single_issuer,defer_taskrun,registered_ring,ext_arg";

inline constexpr ServerKind kAllThereIs{.name = "AllThereIs", .disabled = kNothing};
inline constexpr std::array kWithDescriptors{
    kAllThereIs,
    ServerKind{.name = "AllThereIsMultishot", .disabled = kNothing, .sockets = kMultishot},
    ServerKind{.name = "Plain", .disabled = kFlags},
    ServerKind{.name = "PlainMultishot", .disabled = kFlags, .sockets = kMultishot},
    ServerKind{.name = "AsOld", .disabled = kAllThatIsNew}};
inline constexpr std::array kWithoutDescriptors{
    ServerKind{.name = "AllThereIsDirect", .disabled = kNothing, .sockets = kDirect},
    ServerKind{
        .name = "AllThereIsMultishotDirect", .disabled = kNothing, .sockets = kMultishotDirect},
    ServerKind{.name = "PlainDirect", .disabled = kFlags, .sockets = kDirect},
    ServerKind{.name = "PlainMultishotDirect", .disabled = kFlags, .sockets = kMultishotDirect}};

inline std::string name_of(const testing::TestParamInfo<ServerKind>& kind) {
  return kind.param.name;
}

// Which features there are for this kind, beside what URING_DISABLE masks.
[[nodiscard]] base::Result<uring::Features> features_of(const ServerKind& kind);

class ServerTest : public testing::TestWithParam<ServerKind> {
 protected:
  void SetUp() override {
    const auto features = features_of(GetParam());
    if (!features) {
      GTEST_SKIP() << "io_uring is denied here: `m1_sq_cq features` says by whom";
    }
    if ((multishot() && !features->has(uring::Feature::MultishotAccept)) ||
        (direct() && !features->has(uring::Feature::DirectAccept))) {
      GTEST_SKIP() << "this kernel cannot accept like that (Linux 5.19), or it is masked";
    }
  }
  [[nodiscard]] static bool multishot() { return GetParam().sockets.multishot_accept; }
  [[nodiscard]] static bool direct() { return GetParam().sockets.direct; }
};

// TEST_P(suite, ...) for all kinds of servers.
#define FOR_ALL_SERVER_KINDS(suite)                                                           \
  INSTANTIATE_TEST_SUITE_P(Descriptors, suite, testing::ValuesIn(kWithDescriptors), name_of); \
  INSTANTIATE_TEST_SUITE_P(Places, suite, testing::ValuesIn(kWithoutDescriptors), name_of)

struct Report {
  std::string text;

  // The number behind this word at the beginning of a line.
  [[nodiscard]] std::uint64_t operator[](std::string_view name) const;
};

// Limits a test must not wait for, and no idle timeout.
[[nodiscard]] support::ServerOptions quiet_options();

class ServerProcess {
 public:
  // Returns when it listens, or has ended without that. `spare_fds`: its limit on open files leaves
  // room for so many more when it starts.
  ServerProcess(const ServerKind& kind, const support::ServerOptions& options,
                std::optional<unsigned> spare_fds = {}, std::uint32_t cq_entries = 128);
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  ~ServerProcess();

  [[nodiscard]] const net::Address& address() const { return address_; }
  [[nodiscard]] const std::string& first_line() const { return first_line_; }

  [[nodiscard]] Report report();
  // The first report in which this number has this value, or has reached it; fails after a while.
  Report await(std::string_view name, std::uint64_t value);
  Report await_at_least(std::string_view name, std::uint64_t value);

  [[nodiscard]] std::string next_line() { return read_until("\n"); }
  void signal(int number) const;
  // Stopped, it learns of all that happens meanwhile at once.
  void stop() const { signal(SIGSTOP); }
  void go_on() const { signal(SIGCONT); }
  // Waits for its end. The exit status; -1 if a signal ended it or it did not end.
  [[nodiscard]] int exit_status();
  // What it has printed at its end: the counters, as in a report.
  [[nodiscard]] Report last_words();

  [[nodiscard]] std::size_t open_descriptors() const;

 private:
  [[nodiscard]] std::string read_until(std::string_view end);

  pid_t pid_ = -1;
  base::UniqueFd output_;
  std::string unread_;
  std::string first_line_;
  net::Address address_;
};

}  // namespace server_test
