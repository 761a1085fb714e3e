#pragma once
// A blocking client that gives up after a while.

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/unique_fd.hpp"
#include "common/net/address.hpp"

namespace server_test {

// What came until the stream ended, and how: 0 for a FIN, else an errno.
struct Rest {
  std::size_t bytes = 0;
  int error = 0;
};

class Client {
 public:
  // Connected; refused() if there is no listener.
  explicit Client(const net::Address& address);

  [[nodiscard]] bool refused() const { return refused_; }
  // False when the connection is gone.
  bool send(std::string_view bytes) const;
  // As much as it sent is, or less at the end of the stream.
  [[nodiscard]] std::string receive(std::size_t size) const;
  // Sends this and receives as much.
  [[nodiscard]] std::string ask(std::string_view bytes) const;
  [[nodiscard]] Rest receive_to_the_end() const;
  // Whether something (a byte, an end) can be received within this time.
  [[nodiscard]] bool hears_within(int timeout_ms) const;
  // Closes with a RST.
  void reset();
  void close() { fd_.reset(); }

 private:
  [[nodiscard]] ssize_t receive_some(char* into, std::size_t size) const;

  base::UniqueFd fd_;
  bool refused_ = false;
};

}  // namespace server_test
