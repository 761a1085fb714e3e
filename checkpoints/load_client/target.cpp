#include "checkpoints/load_client/target.hpp"

#include <limits>

#include "common/support/quantity.hpp"

namespace load_client {

std::expected<Target, std::string> Target::parse(std::string_view text) {
  const auto wrong = [whole = std::string(text)](const std::string& why) {
    return std::unexpected("the target '" + whole + "' " + why +
                           ": [NAME=]ADDRESS:PORT[@PID] was expected, like 127.0.0.1:7777");
  };
  Target target;
  if (const std::size_t equals = text.find('='); equals != std::string_view::npos) {
    target.name = text.substr(0, equals);
    text.remove_prefix(equals + 1);
    if (target.name.empty()) {
      return wrong("has an empty name");
    }
  }
  if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
    const auto pid = support::parse_quantity(text.substr(at + 1), support::kNoUnit);
    if (!pid || *pid < 1 || *pid > std::numeric_limits<pid_t>::max()) {
      return wrong("has no process id behind its @");
    }
    target.pid = static_cast<pid_t>(*pid);
    text = text.substr(0, at);
  }
  const auto address = net::Address::parse(text);
  if (!address) {
    return wrong("has no address that could be read");
  }
  if (address->port() == 0) {
    return wrong("has no port");
  }
  target.address = *address;
  if (target.name.empty()) {
    target.name = target.address.to_string();
  }
  return target;
}

}  // namespace load_client
