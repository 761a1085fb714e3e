#include "m2_file_server/bench/read_pread.hpp"

#include <cstddef>
#include <latch>
#include <thread>
#include <vector>

namespace file_server::bench_read {
namespace {

// O_DIRECT wants memory that is aligned, as blocks are.
struct alignas(kBlockBytes) Buffer {
  std::byte bytes[kBlockBytes];
};

// Returns how many blocks it read.
Outcome<std::uint64_t> read_blocks(int fd, Walk walk, std::uint64_t end_ns, Buffer& buffer,
                                   support::Histogram& latency_ns) {
  std::uint64_t reads = 0;
  std::uint64_t start_ns = support::now_ns();
  do {
    const auto offset = walk.next();
    if (!offset) {
      break;
    }
    if (const auto read = pread_block(fd, buffer.bytes, *offset); !read) {
      return std::unexpected(read.error());
    }
    ++reads;
    const std::uint64_t now_ns = support::now_ns();
    latency_ns.record(now_ns - start_ns);
    start_ns = now_ns;  // the end of one read is the wish for the next
  } while (start_ns < end_ns);
  return reads;
}

struct Worker {
  Buffer buffer;
  support::Histogram latency_ns;
  Outcome<std::uint64_t> reads = 0;
};

}  // namespace

ReadSlice pread_in_a_loop(int fd) {
  return [fd](const Walk& walk, std::uint64_t duration_ns,
              support::Histogram& latency_ns) -> Outcome<Slice> {
    Buffer buffer;
    const Stopwatch watch;
    const auto reads = read_blocks(fd, walk, watch.start_ns() + duration_ns, buffer, latency_ns);
    return reads ? Outcome<Slice>(watch.stop(*reads)) : std::unexpected(reads.error());
  };
}

// The threads stand ready before the clock starts, and end after it: neither is a part of reading.
ReadSlice pread_by_threads(int fd, std::uint32_t threads) {
  return [fd, threads](const Walk& walk, std::uint64_t duration_ns,
                       support::Histogram& latency_ns) -> Outcome<Slice> {
    std::vector<Worker> workers(threads);
    std::latch ready(threads);
    std::latch go(1);
    std::latch done(threads);
    std::uint64_t end_ns = 0;
    std::vector<std::jthread> running;
    for (std::uint32_t i = 0; i < threads; ++i) {
      running.emplace_back([&, i] {
        Worker& worker = workers[i];
        ready.count_down();
        go.wait();
        worker.reads =
            read_blocks(fd, walk.part(i, threads), end_ns, worker.buffer, worker.latency_ns);
        done.count_down();
      });
    }
    ready.wait();
    const Stopwatch watch;
    end_ns = watch.start_ns() + duration_ns;
    go.count_down();
    done.wait();
    Slice slice = watch.stop(0);
    running.clear();
    for (const Worker& worker : workers) {
      if (!worker.reads) {
        return std::unexpected(worker.reads.error());
      }
      slice.reads += *worker.reads;
      latency_ns.merge(worker.latency_ns);
    }
    return slice;
  };
}

}  // namespace file_server::bench_read
