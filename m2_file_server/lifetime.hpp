#pragma once
// `m2_file_server lifetime`: how long the kernel may use a buffer, told by a program that gets it
// wrong, on purpose, in one way after the other, and shows what was damaged.
//
// What must hold:
//  - Every sentence about what the kernel did is a claim that was checked. Exit status 0: all of them
//    held on this kernel; 1: one did not, or something failed; 2: it could not start.
//  - The damage is defined behaviour for C++: the buffers are places in memory that lives throughout,
//    or pages that are unmapped and mapped again by system calls.

namespace file_server {

// `argv[0]` is the word that chose it ("lifetime"), behind it are its arguments: --help or none.
[[nodiscard]] int run_lifetime(int argc, char** argv);

}  // namespace file_server
