#pragma once
// A server on the command line: [NAME=]ADDRESS:PORT[@PID].

#include <sys/types.h>

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "common/net/address.hpp"

namespace load_client {

struct Target {
  std::string name;  // ADDRESS:PORT if none was given
  net::Address address;
  std::optional<pid_t> pid;  // whose CPU time and memory to look at

  // The error is one sentence.
  [[nodiscard]] static std::expected<Target, std::string> parse(std::string_view text);
};

}  // namespace load_client
