#include "common/support/trace.hpp"

#include <fcntl.h>

#include <algorithm>
#include <span>
#include <utility>

#include "common/base/check.hpp"
#include "common/support/cpu_clock.hpp"
#include "common/support/write_all.hpp"

namespace support {

base::Result<Trace> Trace::open(const char* path, std::size_t buffered_records) {
  CHECK(buffered_records > 0);
  constexpr mode_t kReadableByAll = 0644;
  base::UniqueFd file(::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kReadableByAll));
  if (!file.valid()) {
    return base::fail(base::last_error());
  }
  TraceHeader header{.magic = {},
                     .version = kTraceVersion,
                     .record_size = sizeof(TraceRecord),
                     .start_ns = now_ns()};
  std::ranges::copy(kTraceMagic, header.magic);
  if (const auto written = write_all(file.get(), std::as_bytes(std::span(&header, 1))); !written) {
    return base::fail(written.error());
  }
  return Trace(std::move(file), buffered_records);
}

Trace::Trace(base::UniqueFd file, std::size_t buffered_records)
    : file_(std::move(file)), capacity_(buffered_records) {
  buffer_.reserve(capacity_);
}

Trace::Trace(Trace&& other) noexcept
    : file_(std::move(other.file_)),
      buffer_(std::move(other.buffer_)),
      capacity_(other.capacity_),
      unreported_error_(std::exchange(other.unreported_error_, base::Errno{})) {}

Trace& Trace::operator=(Trace&& other) noexcept {
  if (this != &other) {
    write_out();
    file_ = std::move(other.file_);
    buffer_ = std::move(other.buffer_);
    capacity_ = other.capacity_;
    unreported_error_ = std::exchange(other.unreported_error_, base::Errno{});
  }
  return *this;
}

Trace::~Trace() {
  write_out();
}

void Trace::record(TraceKind kind, std::uint64_t user_data, std::uint32_t a, std::uint32_t b,
                   std::uint32_t c, std::uint8_t opcode, std::uint16_t ring) noexcept {
  if (!file_.valid()) {
    return;
  }
  buffer_.push_back({.time_ns = now_ns(),
                     .user_data = user_data,
                     .a = a,
                     .b = b,
                     .c = c,
                     .kind = kind,
                     .opcode = opcode,
                     .ring = ring});
  if (buffer_.size() == capacity_) {
    write_out();
  }
}

base::Result<void> Trace::flush() {
  write_out();
  if (const base::Errno error = std::exchange(unreported_error_, base::Errno{});
      error != base::Errno{}) {
    return base::fail(error);
  }
  return {};
}

void Trace::write_out() noexcept {
  if (!file_.valid()) {
    return;
  }
  if (const auto written = write_all(file_.get(), std::as_bytes(std::span(buffer_))); !written) {
    unreported_error_ = written.error();
    file_.reset();
  }
  buffer_.clear();
}

}  // namespace support
