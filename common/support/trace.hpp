#pragma once
// What a ring did, as a file of 32-byte records: one for every SQE, tail, head, CQE and buffer that
// crossed between us and the kernel. Written here, printed by trace_reader.
//
// What must hold: recording makes no system call until the buffer is full (the clock is read in the
// vDSO), and a trace that cannot be written never changes what the program does.
// A Trace belongs to one thread.

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "common/base/errno.hpp"
#include "common/base/unique_fd.hpp"

namespace support {

// What happened, and what a record's a, b and c mean then ("bits": an int32_t kept as uint32_t).
enum class TraceKind : std::uint8_t {
  Invalid,      // in no file
  SqePrepared,  // user_data, opcode; a = fd (bits), b = index in the SQ, c = SQE flags
  SqTail,       // we published: a = new tail, b = how many SQEs that gave the kernel
  SqHead,       // we looked at the kernel's side: a = head as seen
  EnterCall,    // a = to_submit, b = min_complete, c = flags
  EnterReturn,  // a = result (bits): SQEs consumed, or -errno
  CqTail,       // we looked at the kernel's side: a = tail as seen
  CqHead,       // we gave slots back: a = new head, b = how many
  Cqe,          // user_data; a = res (bits), b = flags
  BufferOut,    // the kernel handed us a provided buffer: a = group, b = buffer id
  BufferIn,     // we gave it back: a = group, b = buffer id
  Overflow,     // the CQ was full: a = the overflow count or flag as seen
  Dispatch,     // user_data; its handler is called now: a = kind, b = slot, c = generation
};

struct TraceRecord {
  std::uint64_t time_ns;  // CLOCK_MONOTONIC
  std::uint64_t user_data;
  std::uint32_t a;
  std::uint32_t b;
  std::uint32_t c;
  TraceKind kind;
  std::uint8_t opcode;
  std::uint16_t ring;  // which one, in a program that has more than one
};
static_assert(sizeof(TraceRecord) == 32);
static_assert(std::is_trivially_copyable_v<TraceRecord>);

// The file begins with this, then come records until its end, all in the byte order of the machine.
struct TraceHeader {
  char magic[8];
  std::uint32_t version;
  std::uint32_t record_size;
  std::uint64_t start_ns;  // CLOCK_MONOTONIC, when the file was opened
};
static_assert(sizeof(TraceHeader) == 24);

inline constexpr char kTraceMagic[8] = {'U', 'R', 'T', 'R', 'A', 'C', 'E', '\n'};
inline constexpr std::uint32_t kTraceVersion = 1;

class Trace {
 public:
  // Makes the file (or empties the one there) and writes its header. `buffered_records`: how many
  // are kept in memory between two writes, at least 1. Errors: those of open(2) and write(2).
  static base::Result<Trace> open(const char* path, std::size_t buffered_records = 16384);

  Trace(Trace&& other) noexcept;
  Trace& operator=(Trace&& other) noexcept;  // what the left side still held is written first
  ~Trace();

  void record(TraceKind kind, std::uint64_t user_data, std::uint32_t a, std::uint32_t b,
              std::uint32_t c = 0, std::uint8_t opcode = 0, std::uint16_t ring = 0) noexcept;

  // Writes what is buffered. The first write that ever failed, here or when the buffer was full,
  // is reported by the next flush, once. Nothing is written after it, and records are dropped: a
  // gap in the middle of a trace would be read as something that did not happen.
  base::Result<void> flush();

 private:
  Trace(base::UniqueFd file, std::size_t buffered_records);
  void write_out() noexcept;

  base::UniqueFd file_;  // not valid: moved from, or given up after a failed write
  std::vector<TraceRecord> buffer_;
  std::size_t capacity_;
  base::Errno unreported_error_;
};

}  // namespace support
