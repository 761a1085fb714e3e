#pragma once
// A FileServer whose operations end as the test says: see tests/forged/forged_server.hpp.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/unique_fd.hpp"
#include "common/uring/features.hpp"
#include "m2_file_server/buffer_pool.hpp"
#include "m2_file_server/file_table.hpp"
#include "m2_file_server/options.hpp"
#include "tests/forged/forged_server.hpp"

namespace m2_test {

using forged::Client;
using forged::Operation;

// Options without any timeouts, and with small buffers that are not registered.
[[nodiscard]] file_server::ServeOptions forged_options();

class ForgedServer : public forged::ForgedServer {
 public:
  // Serves the files below this folder. `places`: in the table of registered files; 0: none.
  ForgedServer(const std::string& root, const file_server::ServeOptions& options,
               std::uint32_t places = 0);
  // Drains, and checks that all buffers and files come back.
  ~ForgedServer() override;

  void get(const Client& client, std::string_view path);
  // Opens the file that OPENAT2 asks for, and turns.
  void open(const Client& client);
  // Ends a READ with at most so many bytes of the file. No turn.
  void read(const Operation& operation, std::size_t most = SIZE_MAX);
  // Goes on as a kernel and a willing client would, until the client has this many bytes.
  void serve(Client& client, std::size_t bytes);

  [[nodiscard]] const file_server::BufferPool& buffers() const { return *buffers_; }
  [[nodiscard]] const file_server::FileTable& files() const { return *files_; }

 protected:
  [[nodiscard]] std::optional<std::int32_t> last_result(const Operation& operation) const override;

 private:
  [[nodiscard]] int run_server(const file_server::ServeOptions& options,
                               const uring::Features& features, std::uint32_t places);

  base::UniqueFd root_;
  // The server's, while it runs.
  const file_server::BufferPool* buffers_ = nullptr;
  const file_server::FileTable* files_ = nullptr;
  std::uint16_t buffers_left_ = 0;  // that have not come back
};

}  // namespace m2_test
