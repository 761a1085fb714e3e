#pragma once
// `m2_file_server bench NAME`: what reading files by the ring brings, and what serving them does.

namespace file_server {

// argv[0] is the word `bench`, argv[1] names one of the benches. Returns the exit status: 0 when all
// was measured, 1 when something read or received was wrong, 2 for a wrong command line.
[[nodiscard]] int run_bench(int argc, char** argv);

}  // namespace file_server
