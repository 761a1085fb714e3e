#include "common/support/trace_reader.hpp"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstddef>
#include <utility>

#include "common/base/errno.hpp"

namespace support {
namespace {

// How one of a record's fields is shown; not at all if it has no name.
struct Field {
  enum class Form : std::uint8_t { Unsigned, Signed, Hex };
  const char* name = nullptr;
  Form form = Form::Unsigned;
};

struct KindFormat {
  const char* name;
  bool has_user_data = false;
  bool has_opcode = false;
  Field a = {};
  Field b = {};
  Field c = {};
};

constexpr auto kUnsigned = Field::Form::Unsigned;
constexpr auto kSigned = Field::Form::Signed;
constexpr auto kHex = Field::Form::Hex;

// In the order of TraceKind.
constexpr auto kFormats = std::to_array<KindFormat>({
    {.name = "Invalid", .a = {"a", kHex}, .b = {"b", kHex}, .c = {"c", kHex}},
    {.name = "SqePrepared",
     .has_user_data = true,
     .has_opcode = true,
     .a = {"fd", kSigned},
     .b = {"index", kUnsigned},
     .c = {"flags", kHex}},
    {.name = "SqTail", .a = {"tail", kUnsigned}, .b = {"published", kUnsigned}},
    {.name = "SqHead", .a = {"head", kUnsigned}},
    {.name = "EnterCall",
     .a = {"to_submit", kUnsigned},
     .b = {"min_complete", kUnsigned},
     .c = {"flags", kHex}},
    {.name = "EnterReturn", .a = {"result", kSigned}},
    {.name = "CqTail", .a = {"tail", kUnsigned}},
    {.name = "CqHead", .a = {"head", kUnsigned}, .b = {"released", kUnsigned}},
    {.name = "Cqe", .has_user_data = true, .a = {"res", kSigned}, .b = {"flags", kHex}},
    {.name = "BufferOut", .a = {"group", kUnsigned}, .b = {"bid", kUnsigned}},
    {.name = "BufferIn", .a = {"group", kUnsigned}, .b = {"bid", kUnsigned}},
    {.name = "Overflow", .a = {"overflow", kUnsigned}},
    {.name = "Dispatch",
     .has_user_data = true,
     .a = {"kind", kUnsigned},
     .b = {"slot", kUnsigned},
     .c = {"generation", kUnsigned}},
});
static_assert(kFormats.size() == static_cast<std::size_t>(TraceKind::Dispatch) + 1);

constexpr KindFormat kUnknown{
    .name = "?", .has_user_data = true, .a = {"a", kHex}, .b = {"b", kHex}, .c = {"c", kHex}};

const KindFormat& format_of(TraceKind kind) {
  const auto index = static_cast<std::size_t>(kind);
  return index < kFormats.size() ? kFormats[index] : kUnknown;
}

void append_field(std::string& line, const Field& field, std::uint32_t value) {
  if (field.name == nullptr) {
    return;
  }
  line += ' ';
  line += field.name;
  line += '=';
  char text[16];
  switch (field.form) {
    case Field::Form::Unsigned:
      std::snprintf(text, sizeof text, "%" PRIu32, value);
      break;
    case Field::Form::Signed:
      std::snprintf(text, sizeof text, "%" PRId32, static_cast<std::int32_t>(value));
      break;
    case Field::Form::Hex:
      std::snprintf(text, sizeof text, "0x%" PRIx32, value);
      break;
  }
  line += text;
}

std::string cannot_read(const std::string& path) {
  return "cannot read the trace '" + path + "': " + base::last_error().message();
}

}  // namespace

TraceReader::TraceReader(std::string path, File file, std::uint64_t start_ns)
    : path_(std::move(path)), file_(std::move(file)), start_ns_(start_ns) {}

std::expected<TraceReader, std::string> TraceReader::open(const std::string& path) {
  File file(std::fopen(path.c_str(), "rbe"));
  if (file == nullptr) {
    return std::unexpected(cannot_read(path));
  }
  TraceHeader header{};
  const std::size_t size = std::fread(&header, 1, sizeof header, file.get());
  if (std::ferror(file.get()) != 0) {
    return std::unexpected(cannot_read(path));
  }
  const bool magic_fits = std::ranges::equal(header.magic, kTraceMagic);
  if (size < sizeof header && (magic_fits || size < sizeof header.magic)) {
    return std::unexpected("'" + path + "' is cut off: it has " + std::to_string(size) +
                           " bytes, and a trace begins with a header of " +
                           std::to_string(sizeof header));
  }
  if (!magic_fits) {
    return std::unexpected("'" + path + "' is no trace: it does not begin with the trace magic");
  }
  if (header.version != kTraceVersion) {
    return std::unexpected("the trace '" + path + "' has version " +
                           std::to_string(header.version) + ", but this program reads version " +
                           std::to_string(kTraceVersion));
  }
  if (header.record_size != sizeof(TraceRecord)) {
    return std::unexpected("the trace '" + path + "' has records of " +
                           std::to_string(header.record_size) + " bytes, but version " +
                           std::to_string(kTraceVersion) + " has " +
                           std::to_string(sizeof(TraceRecord)));
  }
  return TraceReader(path, std::move(file), header.start_ns);
}

std::expected<std::optional<TraceRecord>, std::string> TraceReader::next() {
  TraceRecord record{};
  const std::size_t size = std::fread(&record, 1, sizeof record, file_.get());
  if (size == sizeof record) {
    ++records_read_;
    return record;
  }
  if (std::ferror(file_.get()) != 0) {
    return std::unexpected(cannot_read(path_));
  }
  if (size != 0) {
    return std::unexpected("the trace '" + path_ + "' is cut off: after " +
                           std::to_string(records_read_) + " whole records come " +
                           std::to_string(size) + " bytes of one that should have " +
                           std::to_string(sizeof record));
  }
  return std::nullopt;
}

const char* trace_kind_name(TraceKind kind) {
  return format_of(kind).name;
}

std::string format_trace_record(const TraceRecord& record, std::uint64_t start_ns,
                                const char* (*opcode_name)(std::uint8_t)) {
  const KindFormat& format = format_of(record.kind);
  constexpr double kNsPerUs = 1000.0;
  // Signed: a record may be older than the start the caller counts from.
  const auto since_start = static_cast<std::int64_t>(record.time_ns - start_ns);
  char head[64];
  std::snprintf(head, sizeof head, "%+14.3f us  ring %u  %-11s",
                static_cast<double>(since_start) / kNsPerUs, static_cast<unsigned>(record.ring),
                format.name);
  std::string line = head;
  if (format.has_opcode) {
    line += " opcode=" + std::to_string(record.opcode);
    if (const char* name = opcode_name != nullptr ? opcode_name(record.opcode) : nullptr;
        name != nullptr) {
      line += '(';
      line += name;
      line += ')';
    }
  }
  if (format.has_user_data) {
    char user_data[32];
    std::snprintf(user_data, sizeof user_data, " user_data=0x%" PRIx64, record.user_data);
    line += user_data;
  }
  append_field(line, format.a, record.a);
  append_field(line, format.b, record.b);
  append_field(line, format.c, record.c);
  return line;
}

}  // namespace support
