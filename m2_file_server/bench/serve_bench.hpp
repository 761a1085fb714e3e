#pragma once
// `m2_file_server bench serve`: this server beside the two that came before it, a synchronous one
// with one thread and one with a pool of threads, at few and at many clients.

namespace file_server {

// Returns the exit status: 0 when everything could be measured, 1 when something went wrong on the
// way (a wrong answer, a server that ended), 2 for a bad option or an impossible start. A signal
// ends the process as it would any other, but the servers and the files are gone first.
[[nodiscard]] int run_serve_bench(int argc, char** argv);

}  // namespace file_server
