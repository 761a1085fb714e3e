#pragma once
// Reads the files that trace.hpp writes: checks the header, hands out the records one by one, and
// puts a record on one line. All errors are whole sentences for the user.

#include <cstdint>
#include <cstdio>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "common/support/trace.hpp"

namespace support {

class TraceReader {
 public:
  // Fails on a file that is missing, no trace, of another version, or shorter than its header.
  [[nodiscard]] static std::expected<TraceReader, std::string> open(const std::string& path);

  // The next record, or nothing at the end. A file that ends inside a record (its writer was
  // killed, or the disk was full) gives its whole records first and then an error.
  [[nodiscard]] std::expected<std::optional<TraceRecord>, std::string> next();

  // CLOCK_MONOTONIC when the trace was opened: what relative times count from.
  [[nodiscard]] std::uint64_t start_ns() const { return start_ns_; }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  using File = std::unique_ptr<std::FILE, Close>;

  TraceReader(std::string path, File file, std::uint64_t start_ns);

  std::string path_;
  File file_;
  std::uint64_t start_ns_;
  std::uint64_t records_read_ = 0;
};

// "SqTail"; "?" for a number that is no kind.
[[nodiscard]] const char* trace_kind_name(TraceKind kind);

// One line without its newline: time since `start_ns`, ring, kind, and the fields under the names
// they have for this kind. `opcode_name` says what an opcode is called, null for one it does not
// know; without it opcodes are numbers.
[[nodiscard]] std::string format_trace_record(const TraceRecord& record, std::uint64_t start_ns,
                                              const char* (*opcode_name)(std::uint8_t) = nullptr);

}  // namespace support
