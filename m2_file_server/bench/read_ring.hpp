#pragma once
// Reading by the ring: `depth` reads are in flight, and each that has ended makes room for another.
// One system call submits what is new and waits for what has ended.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/uring/features.hpp"
#include "common/uring/mapped_region.hpp"
#include "common/uring/registered_buffers.hpp"
#include "common/uring/registered_files.hpp"
#include "common/uring/ring.hpp"
#include "m2_file_server/bench/read_contender.hpp"

namespace file_server::bench_read {

class RingReader {
 public:
  // `way.method` is Ring.
  [[nodiscard]] static Outcome<std::unique_ptr<RingReader>> create(const ReadWay& way, int fd,
                                                                   const uring::Features& features);
  RingReader(const RingReader&) = delete;
  RingReader& operator=(const RingReader&) = delete;
  ~RingReader();

  // As a ReadSlice does; once.
  [[nodiscard]] Outcome<Slice> read(const Walk& walk, std::uint64_t duration_ns,
                                    support::Histogram& latency_ns);

 private:
  // One of the reads in flight; its place in `reads_` is its user_data and names its buffer.
  struct Read {
    std::uint64_t offset = 0;
    std::uint64_t start_ns = 0;
    std::uint32_t done_bytes = 0;  // more than 0 after a short read
  };

  RingReader(const ReadWay& way, int fd, uring::Ring ring, uring::MappedRegion memory);
  [[nodiscard]] base::Result<void> register_all();

  [[nodiscard]] std::span<std::byte> buffer(std::size_t index) {
    return memory_.bytes().subspan(index * kBlockBytes, kBlockBytes);
  }
  void start(std::size_t index, std::uint64_t offset, std::uint64_t now_ns);
  // Arms the read of what is missing of the block.
  void submit(std::size_t index);
  [[nodiscard]] base::Result<void> submit_and_wait();
  // Whether the block is there, complete and right. If not, the rest of it is on its way, or
  // `failure_` says what is wrong.
  [[nodiscard]] bool finish(const uring::io_uring_cqe& cqe);

  ReadWay way_;
  int fd_;
  uring::MappedRegion memory_;  // before the ring, which may refer to it
  uring::Ring ring_;
  std::optional<uring::RegisteredBuffers> registered_buffers_;
  std::optional<uring::RegisteredFiles> registered_files_;
  std::vector<Read> reads_;
  std::vector<uring::io_uring_cqe> cqes_;
  std::size_t in_flight_ = 0;
  Outcome<void> failure_;  // the first one
};

}  // namespace file_server::bench_read
