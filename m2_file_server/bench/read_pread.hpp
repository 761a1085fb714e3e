#pragma once
// Reading with pread(2): by one thread, and by many of which each waits for its own.

#include "m2_file_server/bench/read_contender.hpp"

namespace file_server::bench_read {

[[nodiscard]] ReadSlice pread_in_a_loop(int fd);
[[nodiscard]] ReadSlice pread_by_threads(int fd, std::uint32_t threads);

}  // namespace file_server::bench_read
