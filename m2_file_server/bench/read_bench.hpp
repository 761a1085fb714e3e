#pragma once
// `m2_file_server bench read`: random 4 KiB reads by pread(2), by 64 threads and by the ring.

namespace file_server {

// Exit status: 0 when all was measured, 1 when a read failed or brought the wrong bytes, 2 when the
// bench could not start.
[[nodiscard]] int run_read_bench(int argc, char** argv);

}  // namespace file_server
