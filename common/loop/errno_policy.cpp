#include "common/loop/errno_policy.hpp"

namespace loop {

const char* to_string(Action action) {
  switch (action) {
    case Action::Retry:
      return "retry";
    case Action::Rearm:
      return "re-arm";
    case Action::AwaitBuffers:
      return "await buffers";
    case Action::AwaitDescriptors:
      return "await descriptors";
    case Action::AwaitReadiness:
      return "await readiness";
    case Action::Close:
      return "close";
    case Action::Ignore:
      return "ignore";
    case Action::Fatal:
      return "fatal";
  }
  return "?";
}

}  // namespace loop
