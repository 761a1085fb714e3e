#include "m2_file_server/bench/serve_blocking_servers.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "common/base/errno.hpp"
#include "common/base/unique_fd.hpp"
#include "m2_file_server/bench/serve_blocking_worker.hpp"

namespace file_server::serve_bench {
namespace {

base::UniqueFd accept_next(int listener) {
  while (true) {
    base::UniqueFd socket(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    if (socket.valid()) {
      return socket;
    }
    const base::Errno error = base::last_error();
    if (error.value != ECONNABORTED) {  // that is a client which has gone while it waited
      std::fprintf(stderr, "cannot accept: %s\n", error.message());
      ::_exit(1);
    }
  }
}

class ConnectionQueue {
 public:
  void push(base::UniqueFd socket) {
    {
      const std::lock_guard lock(mutex_);
      sockets_.push_back(std::move(socket));
    }
    not_empty_.notify_one();
  }

  // Waits until there is one.
  base::UniqueFd pop() {
    std::unique_lock lock(mutex_);
    not_empty_.wait(lock, [this] { return !sockets_.empty(); });
    base::UniqueFd socket = std::move(sockets_.front());
    sockets_.pop_front();
    return socket;
  }

 private:
  std::mutex mutex_;
  std::condition_variable not_empty_;
  std::deque<base::UniqueFd> sockets_;
};

}  // namespace

void serve_by_one_thread(int listener, int root) {
  BlockingWorker worker(root);
  while (true) {
    const base::UniqueFd socket = accept_next(listener);
    worker.serve(socket.get(), AfterAnswer::Close);
  }
}

void serve_by_thread_pool(int listener, int root, std::uint32_t threads) {
  ConnectionQueue queue;  // outlives the threads: this function never returns
  for (std::uint32_t i = 0; i < threads; ++i) {
    std::thread([&queue, root] {
      BlockingWorker worker(root);
      while (true) {
        const base::UniqueFd socket = queue.pop();
        worker.serve(socket.get(), AfterAnswer::KeepAlive);
      }
    }).detach();
  }
  while (true) {
    queue.push(accept_next(listener));
  }
}

}  // namespace file_server::serve_bench
