#pragma once
// What the tests of forged servers share.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include <gtest/gtest.h>

#include "tests/forged/forged_server.hpp"

namespace forged {

// `S` is derived from ForgedServer.
template <class S>
class ForgedCase : public testing::Test {
 protected:
  // Skips the test where there can be no such server.
  template <class... Arguments>
  void start_server(Arguments&&... arguments) {
    server_.emplace(std::forward<Arguments>(arguments)...);
    if (!server_->runs()) {
      GTEST_SKIP() << "no filter on system calls is allowed here";
    }
  }

  // Ends the operation that was asked for first, and turns.
  void end(const Client& client, std::uint8_t opcode, std::int32_t res, std::uint32_t flags = 0) {
    server_->end(server_->take(client, opcode), res, flags);
    server_->turn();
  }
  [[nodiscard]] std::size_t count(const Client& client, std::uint8_t opcode) const {
    return server_->count(client, opcode);
  }

  std::optional<S> server_;
};

// In a test's body: the fixture's start(), and leave where it was skipped.
#define START(...)    \
  start(__VA_ARGS__); \
  if (IsSkipped()) {  \
    return;           \
  }                   \
  static_assert(true)

}  // namespace forged
