#pragma once
// Server<TestProtocol> in a child process, and what its report says.

#include <sys/types.h>

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
#include "common/support/server_options.hpp"
#include "common/uring/features.hpp"

namespace server_test {

// A kind of ring to test on: that of create_ring() with some features masked.
struct RingKind {
  const char* name;
  const char* disabled;  // as in URING_DISABLE

  friend std::ostream& operator<<(std::ostream& out, const RingKind& kind) {
    return out << kind.name;
  }
};

inline constexpr RingKind kAllThereIs{.name = "AllThereIs", .disabled = ""};
inline constexpr RingKind kPlain{
    .name = "Plain",
    .disabled = "submit_all,coop_taskrun,single_issuer,defer_taskrun,registered_ring"};
inline constexpr RingKind kAsOld{
    .name = "AsOld",
    .disabled = "submit_all,coop_taskrun,single_issuer,defer_taskrun,registered_ring,ext_arg"};

inline auto all_ring_kinds() {
  return testing::Values(kAllThereIs, kPlain, kAsOld);
}
inline std::string name_of(const testing::TestParamInfo<RingKind>& kind) {
  return kind.param.name;
}

// Which features there are for this kind, beside what URING_DISABLE masks.
[[nodiscard]] base::Result<uring::Features> features_of(const RingKind& kind);

class ServerTest : public testing::TestWithParam<RingKind> {
 protected:
  void SetUp() override {
    if (!features_of(GetParam())) {
      GTEST_SKIP() << "io_uring is denied here: `m1_sq_cq features` says by whom";
    }
  }
};

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
  ServerProcess(const RingKind& kind, const support::ServerOptions& options,
                std::optional<unsigned> spare_fds = {});
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
