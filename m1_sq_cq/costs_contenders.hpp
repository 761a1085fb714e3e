#pragma once
// What the costs lesson measures, and what each thing needs: rings, files and buffers, set up once.

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "common/base/unique_fd.hpp"
#include "common/support/trace.hpp"
#include "common/uring/features.hpp"
#include "common/uring/mapped_region.hpp"
#include "common/uring/registered_buffers.hpp"
#include "common/uring/registered_files.hpp"
#include "common/uring/ring.hpp"
#include "m1_sq_cq/costs_measure.hpp"
#include "m1_sq_cq/direct_io.hpp"
#include "m1_sq_cq/scratch_directory.hpp"

namespace m1 {

class CostsContenders {
 public:
  static constexpr std::uint32_t kLargestBatch = 256;
  static constexpr std::uint32_t kReadBytes = 4096;
  static constexpr std::uint32_t kReadBatch = 16;
  static constexpr std::uint64_t kWritesPerSlice = 10'000;

  // An error is a sentence.
  [[nodiscard]] static std::expected<std::unique_ptr<CostsContenders>, std::string> create(
      const uring::Features& features);
  CostsContenders(const CostsContenders&) = delete;
  CostsContenders& operator=(const CostsContenders&) = delete;
  ~CostsContenders() = default;

  // They refer to this object.
  [[nodiscard]] Contender empty_system_call();
  [[nodiscard]] Contender empty_enter();
  [[nodiscard]] Contender nops(std::uint32_t batch);
  // As nops(), on a ring that is traced into a file.
  [[nodiscard]] Contender traced_nops(std::uint32_t batch);
  // 64 bytes to /dev/null.
  [[nodiscard]] Contender writes();
  [[nodiscard]] Contender ring_writes(std::uint32_t batch, bool registered_file);

  enum class Reads : std::uint8_t { Buffered, Direct };
  [[nodiscard]] Contender reads(Reads how, bool fixed);
  // Why there can be no direct reads; none: there can.
  [[nodiscard]] const std::optional<std::string>& why_not_direct() const { return why_not_direct_; }

  // What remained of the wished for setup flags.
  [[nodiscard]] std::uint32_t setup_flags() const { return ring_->setup_flags(); }
  [[nodiscard]] bool uses_registered_fd() const { return ring_->uses_registered_fd(); }

 private:
  CostsContenders(ScratchDirectory scratch, support::Trace trace)
      : scratch_(std::move(scratch)), trace_(std::move(trace)) {}

  [[nodiscard]] std::expected<void, std::string> set_up(const uring::Features& features);
  [[nodiscard]] std::expected<void, std::string> set_up_files();
  [[nodiscard]] base::Result<void> read_all(int fd, bool fixed, std::uint64_t operations);

  ScratchDirectory scratch_;
  support::Trace trace_;
  std::optional<uring::Ring> ring_;
  std::optional<uring::Ring> traced_ring_;
  base::UniqueFd null_;
  base::UniqueFd buffered_file_;
  std::optional<DirectFile> direct_file_;
  std::optional<std::string> why_not_direct_;
  uring::MappedRegion read_memory_;
  std::optional<uring::RegisteredBuffers> registered_buffers_;
  std::optional<uring::RegisteredFiles> registered_files_;
};

}  // namespace m1
