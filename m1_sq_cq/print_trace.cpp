#include "m1_sq_cq/print_trace.hpp"

#include <cstdio>

#include "common/support/trace_reader.hpp"
#include "common/uring/opcode_name.hpp"

namespace m1 {

std::expected<void, std::string> print_trace(const std::string& path) {
  auto reader = support::TraceReader::open(path);
  if (!reader) {
    return std::unexpected(reader.error());
  }
  while (true) {
    const auto record = reader->next();
    if (!record) {
      return std::unexpected(record.error());
    }
    if (!*record || std::ferror(stdout) != 0) {
      return {};
    }
    const std::string line =
        support::format_trace_record(**record, reader->start_ns(), uring::opcode_name);
    std::printf("%s\n", line.c_str());
  }
}

}  // namespace m1
