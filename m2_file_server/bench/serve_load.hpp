#pragma once
// The clients: each sends a request, waits for the whole answer, and sends the next one. One thread
// is all of them, on epoll, so that it needs little of its CPU.
//
// Status and length of every answer are looked at, and all the bytes of one in sixteen.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "common/base/unique_fd.hpp"
#include "common/net/address.hpp"
#include "common/support/histogram.hpp"
#include "m2_file_server/bench/serve_files.hpp"
#include "m2_file_server/bench/serve_response.hpp"

namespace file_server::serve_bench {

enum class Connections : std::uint8_t {
  PerRequest,  // "Connection: close"; the connecting is a part of the request's time
  KeptAlive,
};

struct LoadPlan {
  std::string server_name;  // for errors
  net::Address server;
  Connections connections;
  std::uint32_t clients;
};

// What came of a slice of time. Its end is the last answer: the requests that are under way when
// the time is up are waited for and count.
struct LoadSlice {
  std::uint64_t requests = 0;
  std::uint64_t elapsed_ns = 0;
  support::Histogram latency_ns;  // from the request to the last byte of its answer
};

class Load {
 public:
  // Each error is a sentence.
  template <class T>
  using Outcome = std::expected<T, std::string>;

  // `file` must stay where it is. `interrupt_fd`: readable when we are to stop, an error then.
  [[nodiscard]] static Outcome<Load> create(const LoadPlan& plan, const ServedFile& file,
                                            int interrupt_fd);

  // An answer that is wrong or does not come is an error. One exception: clients that the server
  // has never answered may wait on for the next slice, since with more clients than threads that is
  // what a thread pool does to them.
  [[nodiscard]] Outcome<LoadSlice> run(std::uint64_t duration_ns);

  // Clients that have had an answer.
  [[nodiscard]] std::uint32_t clients_answered() const;

 private:
  struct Client {
    base::UniqueFd socket;
    ResponseCheck response;
    std::uint64_t began_ns = 0;
    std::uint64_t answers = 0;
    bool waits = false;       // for an answer, or (PerRequest) for the end of the connection
    bool has_answer = false;  // to the request under way
  };

  Load(const LoadPlan& plan, const ServedFile& file);

  Outcome<void> start_request(Client& client);
  Outcome<void> connect(Client& client);
  // Waits for what comes, at most until `until_ns`, and takes it.
  Outcome<void> take_events(std::uint64_t until_ns);
  Outcome<void> receive(Client& client);
  Outcome<void> take_bytes(Client& client, std::span<const std::byte> bytes);
  Outcome<void> take_end(Client& client);
  Outcome<void> finish_request(Client& client);
  Outcome<void> drain();
  [[nodiscard]] bool is_answered_one_waiting() const;
  [[nodiscard]] std::unexpected<std::string> fail(const std::string& what) const;

  LoadPlan plan_;
  const ServedFile* file_;
  std::string request_;
  base::UniqueFd epoll_;
  std::vector<Client> clients_;
  std::vector<std::byte> buffer_;
  std::uint64_t requests_started_ = 0;
  std::uint32_t waiting_ = 0;

  LoadSlice slice_;
  std::uint64_t stop_ns_ = 0;  // no request begins from then on
  std::uint64_t last_answer_ns_ = 0;
  std::uint64_t last_bytes_ns_ = 0;
};

}  // namespace file_server::serve_bench
