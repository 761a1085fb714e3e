#pragma once
// How a server answers with blocking calls: receive a request, open the file, read, send, and wait
// in each of them until it is done. As long as that lasts the thread does nothing else. The two
// servers in serve_blocking_servers.hpp differ only in how many threads do this.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/base/unique_fd.hpp"
#include "common/http/date.hpp"
#include "common/http/exchange.hpp"
#include "common/http/request_parser.hpp"

namespace file_server::serve_bench {

enum class AfterAnswer : std::uint8_t { Close, KeepAlive };

// What a thread needs to serve connections, one after the other. It has no timeouts: a client that
// sends nothing, or does not read, has the thread for itself.
class BlockingWorker {
 public:
  // Serves what lies below the folder `root`, a descriptor that stays open.
  explicit BlockingWorker(int root);

  // Returns when the connection can be closed. KeepAlive: as long as the client wants.
  void serve(int socket, AfterAnswer after_answer);

 private:
  [[nodiscard]] bool receive_request(int socket);
  [[nodiscard]] http::Response find_file(const http::Request& request, base::UniqueFd& file) const;
  [[nodiscard]] bool send_answer(int socket, const http::Response& response, int file);

  int root_;
  std::vector<char> input_;   // begins with the request that is being read
  std::size_t received_ = 0;  // so much of it is filled
  http::RequestParser parser_;
  std::vector<char> output_;
  http::DateCache date_;
};

}  // namespace file_server::serve_bench
